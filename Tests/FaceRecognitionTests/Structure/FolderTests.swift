import Foundation
import Testing

/// Arrows between folders go one way. Between modules the compiler sees to that; inside one, this does.
struct FolderTests {
  @Test func noCircle() throws {
    let checkout = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
    let folders = try Folders(of: "/" + checkout + "/Sources")
    #expect(folders.uses.count > 30)
    #expect(folders.circles == [])
  }

  @Test func circlesAreFound() throws {
    let root = try TemporaryFolder()
    func write(_ path: String, _ text: String) throws {
      let url = URL(filePath: root[path])
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
    try write("M/A/One.swift", "package struct One {\n  let two: Two  // and Four\n}\n")
    try write("M/B/Two.swift", "final class Two {\n  let three: Three?\n}\n")
    try write("M/C/Three.swift", "enum Three {\n  case one(One)\n}\n")
    try write("M/D/Four.swift", "struct Four {\n  let one: One\n}\n")
    try write("N/E/Five.swift", "import M\n\nstruct Five {\n  let four: Four\n}\n")
    let folders = try Folders(of: root.path)
    #expect(folders.circles == [["M/A", "M/B", "M/C"]])
    #expect(folders.uses["M/A"] == ["M/B"])
    #expect(folders.uses["N/E"] == ["M/D"])
  }
}

/// Which folder uses a type that another declares, told by names: a type's name that stands in one folder alone, in a file
/// of the same module or of one that imports it.
private struct Folders {
  private(set) var uses: [String: Set<String>] = [:]

  init(of root: String) throws {
    var homes: [Substring: Set<String>] = [:]
    var files: [(folder: String, words: Set<Substring>, imports: Set<Substring>)] = []
    for path in try FileManager.default.subpathsOfDirectory(atPath: root)
    where path.hasSuffix(".swift") && !path.hasSuffix(".pb.swift") {
      let folder = path.split(separator: "/").dropLast().prefix(2).joined(separator: "/")
      var (words, imports): (Set<Substring>, Set<Substring>) = ([], [])
      for line in try String(contentsOfFile: root + "/" + path, encoding: .utf8).split(separator: "\n") {
        let code = line.range(of: "//").map { line[..<$0.lowerBound] } ?? line
        let tokens = code.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
        words.formUnion(tokens.filter { $0.first!.isUppercase })
        guard let place = tokens.firstIndex(where: { !Self.modifiers.contains($0) }), place + 1 < tokens.count else {
          continue
        }
        if tokens[place] == "import" { imports.insert(tokens.last!) }
        if code.first != " ", Self.kinds.contains(tokens[place]) {
          homes[tokens[place + 1], default: []].insert(folder)
        }
      }
      files.append((folder, words, imports))
    }
    for file in files {
      let own = file.folder.split(separator: "/")[0]
      for word in file.words {
        guard let home = homes[word], home.count == 1, let other = home.first, other != file.folder,
          !other.hasPrefix(file.folder + "/"), !file.folder.hasPrefix(other + "/")
        else { continue }
        let module = other.split(separator: "/")[0]
        if module == own || file.imports.contains(module) { uses[file.folder, default: []].insert(other) }
      }
    }
  }

  private static let modifiers: Set<Substring> = ["package", "public", "final", "indirect", "testable", "internal"]
  private static let kinds: Set<Substring> = ["class", "struct", "enum", "protocol", "actor", "typealias"]

  /// Sets of folders that reach each other, each sorted.
  var circles: [[String]] {
    let reached = uses.keys.reduce(into: [String: Set<String>]()) { $0[$1] = reach(from: $1) }
    let sets = uses.keys.compactMap { folder -> [String]? in
      guard reached[folder]!.contains(folder) else { return nil }
      return reached[folder]!.filter { reached[$0]?.contains(folder) ?? false }.sorted()
    }
    return Set(sets).sorted { $0[0] < $1[0] }
  }

  private func reach(from folder: String) -> Set<String> {
    var (found, todo): (Set<String>, [String]) = ([], [folder])
    while let next = todo.popLast() {
      for other in uses[next] ?? [] where found.insert(other).inserted { todo.append(other) }
    }
    return found
  }
}
