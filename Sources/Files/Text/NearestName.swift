/// What somebody may have meant who mistyped a name.
package enum NearestName {
  /// The name of `names` that fewest changes make of `given`: letters put in, left out, replaced, or two swapped. Capitals
  /// and the signs between words do not count.
  package static func of(_ given: String, in names: some Sequence<String>) -> String? {
    several(1, like: given, in: names).first
  }

  /// The `count` nearest ones, nearest first.
  package static func several(_ count: Int, like given: String, in names: some Sequence<String>) -> [String] {
    let given = letters(given)
    return names.map { (distance(given, letters($0)), $0) }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }
      .prefix(count).map(\.1)
  }

  private static func letters(_ name: String) -> [Character] {
    name.prefix(64).lowercased().filter { $0 != "-" && $0 != "_" && $0 != " " }
  }

  /// Damerau 1964, Levenshtein 1966, without changes inside a swapped pair.
  private static func distance(_ a: [Character], _ b: [Character]) -> Int {
    var rows = [Array(0...b.count)]
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var best = min(rows[i][j + 1], row[j]) + 1
        best = min(best, rows[i][j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, rows[i - 1][j - 1] + 1) }
        row.append(best)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}
