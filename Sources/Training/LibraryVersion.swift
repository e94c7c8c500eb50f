import MPI
import NeuralNetwork

/// A library that computes, communicates or decodes for a run: another version may do so in another way.
package struct LibraryVersion: Codable, Equatable, Sendable, CustomStringConvertible {
  package let name: String
  /// Of the library that this process has loaded, which need not be what the program was compiled with.
  package let loaded: String
  /// Of the headers that the program was compiled with; nil where nothing tells.
  package let headers: String?

  package init(name: String, loaded: String, headers: String?) {
    self.name = name
    self.loaded = loaded
    self.headers = headers
  }

  /// This process's.
  package static let all: [LibraryVersion] =
    [World.library, Libraries.oneDNN, Libraries.openBLAS].map {
      LibraryVersion(name: $0.name, loaded: $0.loaded, headers: $0.headers)
    } + [LibraryVersion(name: "libjpeg", loaded: LoadedLibraries.current().libjpegVersion, headers: nil)]

  /// By name, for what is written down.
  package static var loaded: [String: String] { Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0.loaded) }) }

  /// "oneDNN 2.6.1, compiled with headers of 2.6.3"; without the headers where they are of the same version.
  package var description: String {
    "\(name) \(loaded)" + (headers.map { $0 == loaded ? "" : ", compiled with headers of \($0)" } ?? "")
  }

  /// Whether the headers are of another release, bug fixes apart.
  package var differsFromHeaders: Bool {
    guard let headers else { return false }
    func release(_ version: String) -> ArraySlice<Substring> { version.split(separator: ".").prefix(2) }
    return release(loaded) != release(headers)
  }
}
