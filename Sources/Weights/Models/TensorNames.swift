package import Files
package import NeuralNetwork

/// Where the tensors of a network stand in a file: other programs put their names behind others.
///
/// `backbone.conv1.weight`, `module.conv1.weight`, `state_dict.module.conv1.weight` are all found: the longest list of the
/// network's names behind one prefix, whatever it is. Names that wrappers put in between (`_orig_mod`) are passed over.
package struct TensorNames {
  /// The name in the file of each name of the network; by itself where they are the same.
  private let found: [String: String]
  /// What a person should know: what was stripped and chosen; empty where the names are the network's own.
  package let notes: [String]

  /// Parts of names that PyTorch's wrappers add: data parallel, compiled, sharded, with checkpointed activations.
  private static let wrappers: Set<String> = [
    "module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module",
  ]
  /// Words of names under which copies of the weights stand that are not the weights: averages, optimizer state.
  private static let secondary: Set<String> = [
    "ema", "avg", "averaged", "optimizer", "optim", "momentum", "grad", "teacher",
  ]

  /// - Parameter parameters: of the network, with its running statistics.
  package init(_ file: SafetensorsFile, of parameters: [Parameter]) throws {
    let needed = Dictionary(parameters.map { ($0.name, $0.shape) }) { first, _ in first }
    if needed.keys.allSatisfy(file.contains) {
      (found, notes) = ([:], file.notes)
      return
    }
    let names = Self.unwrapped(file.allNames)
    var prefixes: [String: (score: Int, place: Int)] = [:]
    for (place, name) in names.map(\.plain).enumerated() {
      for (prefix, suffix) in Self.divisions(of: name) {
        guard let shape = needed[suffix] else { continue }
        let fits = (try? file.shape(of: names[place].original)) == shape
        prefixes[prefix, default: (0, place)].score += fits ? 2 : 1
      }
    }
    func isBetter(
      _ a: (key: String, value: (score: Int, place: Int)), _ b: (key: String, value: (score: Int, place: Int))
    ) -> Bool {
      let (first, second) = (Self.isSecondary(a.key), Self.isSecondary(b.key))
      return (a.value.score, second ? 1 : 0, b.value.place) > (b.value.score, first ? 1 : 0, a.value.place)
    }
    guard let best = prefixes.sorted(by: isBetter).first else {
      (found, notes) = ([:], file.notes)
      return
    }
    let originals = Dictionary(names.map { ($0.plain, $0.original) }) { first, _ in first }
    var found: [String: String] = [:]
    for name in needed.keys { found[name] = originals[best.key + name] }
    self.found = found
    let others = prefixes.filter { $0.key != best.key && $0.value.score == best.value.score }.keys.sorted()
    notes = file.notes + Self.notes(found, others: others)
  }

  /// The name in the file of what the network calls `name`.
  package subscript(name: String) -> String { found[name] ?? name }

  private static func notes(_ found: [String: String], others: [String]) -> [String] {
    guard let example = found.sorted(by: { ($0.value.utf8.count, $0.key) < ($1.value.utf8.count, $1.key) }).first,
      example.key != example.value
    else { return [] }
    let prefixes = Set(found.map { $1.hasSuffix($0) ? String($1.dropLast($0.count)) : $1 })
    var notes = [
      prefixes.count == 1
        ? "'\(prefixes.first!)' was stripped from its names"
        : "its names were stripped of what stands before and between them: '\(example.value)' is '\(example.key)'"
    ]
    if !others.isEmpty {
      notes.append("as many tensors under \(WeightReport.list(others.map { "'\($0)'" })) were left")
    }
    return notes
  }

  /// Names without the parts that wrappers add, where that leaves them distinct.
  private static func unwrapped(_ names: [String]) -> [(plain: String, original: String)] {
    let plain = names.map { name in
      name.split(separator: ".", omittingEmptySubsequences: false).filter { !wrappers.contains(String($0)) }
        .joined(separator: ".")
    }
    let counts = Dictionary(plain.map { ($0, 1) }, uniquingKeysWith: +)
    return zip(names, plain).map { name, plain in (counts[plain] == 1 ? plain : name, name) }
  }

  /// Every way to divide a name behind a dot, slash, colon or the like: ("", name) first.
  private static func divisions(of name: String) -> [(prefix: String, suffix: String)] {
    let separators = Set("./:_|-".unicodeScalars)
    let scalars = name.unicodeScalars
    return [("", name)]
      + scalars.indices.filter { separators.contains(scalars[$0]) }.map { index in
        let next = scalars.index(after: index)
        return (String(scalars[..<next]), String(scalars[next...]))
      }
  }

  private static func isSecondary(_ prefix: String) -> Bool {
    prefix.lowercased().split { "./:_|-".contains($0) }.contains { secondary.contains(String($0)) }
  }
}
