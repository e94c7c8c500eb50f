/// Paths are taken apart byte by byte: to `Character`, a slash and an accent behind it are one letter, and no slash.
extension FilePath {
  private static let slash = UInt8(ascii: "/")

  /// `["a", "b.jpg"]` of `/a//b.jpg`.
  package static func parts(_ path: String) -> [Substring] { path.utf8.split(separator: slash).map(Substring.init) }

  package static func isAbsolute(_ path: String) -> Bool { path.utf8.first == slash }

  /// Whether some part of the path is `..`.
  package static func climbs(_ path: String) -> Bool {
    path.utf8.split(separator: slash).contains { $0.elementsEqual("..".utf8) }
  }

  /// `a/b` of `a/b/`; `/` stays.
  package static func withoutFinalSlash(_ path: String) -> String {
    path.utf8.count > 1 && path.utf8.last == slash ? String(Substring(path.utf8.dropLast())) : path
  }

  /// `a/b` of `a/b/c.jpg`; nothing of `c.jpg`.
  package static func folder(of path: String) -> String {
    let path = withoutFinalSlash(path)
    return path.utf8.contains(slash) ? split(path).folder : ""
  }

  /// `c.jpg` of `a/b/c.jpg`, `b` of `a/b/`.
  package static func name(of path: String) -> String { split(withoutFinalSlash(path)).name }

  /// `a/b` of `a` or `a/`, and `b`.
  package static func join(_ folder: String, _ name: String) -> String {
    folder.isEmpty ? name : folder.utf8.last == slash ? folder + name : "\(folder)/\(name)"
  }

  /// Whether the path ends in these very bytes: `.rec`.
  package static func hasEnding(_ ending: String, _ path: String) -> Bool {
    path.utf8.suffix(ending.utf8.count).elementsEqual(ending.utf8)
  }

  /// `jpg` of `a.b/c.JPG`, in small letters; nil where the name has no dot but its first byte.
  package static func ending(of path: String) -> String? {
    guard let dot = lastDot(path) else { return nil }
    return String(Substring(path.utf8[path.utf8.index(after: dot)...])).lowercased()
  }

  /// `a.b/c` of `a.b/c.jpg`.
  package static func withoutEnding(_ path: String) -> String {
    lastDot(path).map { String(Substring(path.utf8[..<$0])) } ?? path
  }

  private static func lastDot(_ path: String) -> String.Index? {
    let name = split(path).name.utf8
    guard let dot = path.utf8.lastIndex(of: UInt8(ascii: ".")) else { return nil }
    let place = path.utf8.distance(from: dot, to: path.utf8.endIndex)
    return place < name.count ? dot : nil
  }
}
