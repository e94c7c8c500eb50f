import Foundation

/// Which cosface this is: written into what it writes.
package enum ProgramVersion {
  package static let number = "0.1.0"
  package static let name = "cosface \(number)"

  /// "Debian GNU/Linux 12 (bookworm), glibc 2.36": what it runs on.
  ///
  /// The corresponding C function is `confstr`.
  package static let system = {
    var text = [CChar](repeating: 0, count: 64)
    confstr(Int32(_CS_GNU_LIBC_VERSION), &text, text.count)
    let library = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    return "\(ProcessInfo.processInfo.operatingSystemVersionString), \(library)"
  }()
}
