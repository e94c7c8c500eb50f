import Foundation
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

    package var description: String {
      let lines = rows.map { row in
        let values = Dictionary(grouping: row.values.indices) { row.values[$0] }
          .sorted { $0.value[0] < $1.value[0] }
          .map { value, ranks in "'\(value)' on rank \(Self.list(ranks))" }
        return "  \(row.name): \(values.joined(separator: ", "))"
      }
      return "The ranks do not agree; all must be given the same:\n" + lines.joined(separator: "\n")
    }

    private static func list(_ ranks: [Int]) -> String {
      ranks.count <= 8
        ? ranks.map(String.init).joined(separator: ", ")
        : ranks.prefix(6).map(String.init).joined(separator: ", ") + " and \(ranks.count - 6) more"
    }
  }

  /// Compares named values; every rank calls it, and all throw the same `Failure`.
  package static func check(_ values: [(name: String, value: String)], _ communicator: Communicator) throws {
    let mine = try JSONEncoder().encode(values.map { [$0.name, $0.value] })
    let all = try communicator.allGather(bytes: Array(mine)).map {
      try JSONDecoder().decode([[String]].self, from: Data($0))
    }
    let names = all.flatMap { $0.map { $0[0] } }
    var seen: Set<String> = []
    let rows = names.filter { seen.insert($0).inserted }.map { name in
      Failure.Row(name: name, values: all.map { rank in rank.first { $0[0] == name }?[1] ?? "nothing" })
    }
    let differing = rows.filter { Set($0.values).count > 1 }
    if !differing.isEmpty { throw Failure(rows: differing) }
  }
}
