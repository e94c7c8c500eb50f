import Files
package import MPI

/// Refuses ranks that were started with different options, data or programs.
package struct RankAgreement {
  /// What the ranks differ in.
  package struct Failure: Error, Equatable, CustomStringConvertible {
    package struct Row: Equatable, Sendable {
      let name: String
      let values: [String]
    }

    package let rows: [Row]
    /// By rank.
    package let hosts: [String]
    /// What to do.
    package let advice: String?

    package init(rows: [Row], hosts: [String], advice: String?) {
      self.rows = rows
      self.hosts = hosts
      self.advice = advice
    }

    package var description: String {
      let lines = rows.map { row in
        let values = Dictionary(grouping: row.values.indices) { Name(row.values[$0]) }
          .sorted { $0.value[0] < $1.value[0] }
          .map { value, ranks in "'\(value)' on rank \(Self.list(ranks.map(String.init)))\(place(of: ranks))" }
        return "  \(row.name): \(values.joined(separator: ", "))"
      }
      return "The ranks do not agree; all must be given the same:\n" + lines.joined(separator: "\n")
        + (advice.map { "\n\($0)" } ?? "")
    }

    /// " (node1, node2)" where there are several hosts.
    private func place(of ranks: [Int]) -> String {
      guard Set(hosts).count > 1 else { return "" }
      var seen: Set<String> = []
      return " (\(Self.list(ranks.map { hosts[$0] }.filter { seen.insert($0).inserted })))"
    }

    private static func list(_ names: [String]) -> String {
      names.count <= 8
        ? names.joined(separator: ", ") : names.prefix(6).joined(separator: ", ") + " and \(names.count - 6) more"
    }
  }

  /// Compares named values; every rank calls it, and all throw the same `Failure`.
  package static func check(
    _ values: [(name: String, value: String)], advice: String? = nil, _ communicator: Communicator
  ) throws {
    let all = try communicator.allGather(encoding: values.map { [$0.name, $0.value] })
    let rows = differences(all.map { $0.map { ($0[0], $0[1]) } })
    if rows.isEmpty { return }
    let hosts = try communicator.allGather(bytes: Array(Communicator.processorName().utf8))
    throw Failure(rows: rows, hosts: hosts.map { String(decoding: $0, as: UTF8.self) }, advice: advice)
  }

  /// The names whose values are not the same on all ranks. `all`: by rank; one that lacks a name has "nothing" there.
  package static func differences(_ all: [[(name: String, value: String)]]) -> [Failure.Row] {
    // Among the values are paths, and paths are in the names.
    let names = all.flatMap { $0.map { Name($0.name) } }
    var seen: Set<Name> = []
    let rows = names.filter { seen.insert($0).inserted }.map { name in
      Failure.Row(name: name.text, values: all.map { rank in rank.first { Name($0.name) == name }?.value ?? "nothing" })
    }
    return rows.filter { Set($0.values.map { Name($0) }).count > 1 }
  }
}
