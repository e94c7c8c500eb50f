/// Which cosface this is: written into what it writes.
package enum ProgramVersion {
  package static let number = "0.1.0"
  package static let name = "cosface \(number)"
}
