import MPI
import NeuralNetwork

/// Which cosface this is: written into what it writes.
package enum ProgramVersion {
  package static let number = "0.1.0"
  package static let name = "cosface \(number)"

  /// With the libraries that it runs on, and what they make of this processor: for `--version` and reports of problems.
  package static var details: String {
    [name, World.library, Libraries.openBLAS, Libraries.oneDNN].joined(separator: "\n")
  }
}
