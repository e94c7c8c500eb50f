import Foundation

/// A folder of a test's own, removed with all in it.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/cosface-tests-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  subscript(name: String) -> String { path + "/" + name }

  var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

  /// Writes a small file, with its folders, and returns its path.
  @discardableResult func write(_ data: Data = Data(), to name: String) throws -> String {
    let file = self[name]
    // By bytes: a name may begin with an accent.
    let folder = String(file.utf8[..<file.utf8.lastIndex(of: UInt8(ascii: "/"))!])!
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try data.write(to: URL(fileURLWithPath: file))
    return file
  }
}
