import Files
import Foundation

/// What must be the same on all hosts before anything else: the program file and the libraries behind it.
package struct ProgramIdentity: Equatable, Sendable, Codable {
  package let version: String
  /// Digest of the whole program file; takes some milliseconds.
  package let digest: String
  package let libraries: [String]

  package init(version: String, digest: String, libraries: [String]) {
    self.version = version
    self.digest = digest
    self.libraries = libraries
  }

  /// This process's.
  package static func current() throws -> ProgramIdentity {
    let file = try Data(contentsOf: URL(fileURLWithPath: "/proc/self/exe"), options: .alwaysMapped)
    return ProgramIdentity(
      version: ProgramVersion.name, digest: file.withUnsafeBytes { Digest(of: $0).description },
      libraries: LoadedLibraries.current().names)
  }

  /// For `RankAgreement`.
  var named: [(name: String, value: String)] {
    [
      ("version", version), ("digest of the program file", digest), ("libraries", libraries.joined(separator: " ")),
    ]
  }
}
