import Distributed
import Files
import Foundation
package import MPI
package import Training

/// What must be the same on all hosts before anything else: the program file and the libraries behind it.
package struct ProgramIdentity: Equatable, Sendable, Codable {
  package var version: String
  /// Digest of the whole program file; takes some milliseconds.
  package var digest: String
  package var libraries: [LibraryVersion]
  /// The libraries' files by what their names begin with: those of "libgomp" tell no version themselves.
  package var files: [String: String]

  package init(version: String, digest: String, libraries: [LibraryVersion], files: [String: String]) {
    self.version = version
    self.digest = digest
    self.libraries = libraries
    self.files = files
  }

  /// This process's.
  package static func current() throws -> ProgramIdentity {
    let file = try Data(contentsOf: URL(fileURLWithPath: "/proc/self/exe"), options: .alwaysMapped)
    return ProgramIdentity(
      version: ProgramVersion.name, digest: file.withUnsafeBytes { Digest(of: $0).description },
      libraries: LibraryVersion.all, files: LoadedLibraries.current().names)
  }

  /// Refuses ranks that differ in it. Collective.
  ///
  /// What the processor decides, such as kernels, makes last digits differ and is warned of: hosts may have no other. What
  /// is installed can be the same, and must be. Two versions of the MPI library need not understand each other, and need not
  /// fail either. Of two versions of oneDNN, OpenBLAS or libjpeg each computes something else from the same images, so that
  /// a result depends on which host was given which.
  package func agree(_ communicator: Communicator) throws {
    try RankAgreement.check(named, advice: Self.advice, communicator)
  }

  /// For `RankAgreement`.
  package var named: [(name: String, value: String)] {
    [("version", version), ("digest of the program file", digest)] + libraries.map { ($0.name, $0.loaded) }
      + files.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  private static let advice =
    "Give all hosts one installation on a shared disk, the same packages, or one container image; `cosface --version` on a "
    + "host names what it loads there, `ldd` its files. LD_LIBRARY_PATH, if set, decides first."
}
