import Datasets
import Distributed
package import MPI
import Training

/// Looks at a cluster before a long run: who runs where with what, whether all have the same, and how fast the links are.
package struct ClusterCheck {
  package struct Report: Codable, Sendable {
    package let ranks: [RankReport]
    /// Of the data folder, where one was given: the same on all ranks.
    package let data: String?
    package let links: [LinkProbe.Link]
    /// Interfaces that carried the measurement, by host; none where ranks share memory.
    package let carriers: [String: [String]]
    /// Of the slowest links: what collectives wait for. Nil with one rank.
    package let latencySeconds: Double?
    package let bytesPerSecond: Double?
    package let warnings: [String]
  }

  /// Folder of faces that all ranks must see alike.
  package var data: String?

  package init() {}

  /// Throws where ranks differ in program, libraries or data. Collective.
  package func run(_ communicator: Communicator, _ placement: Placement) throws -> Report {
    let own = try RankReport.current(communicator, placement)
    try own.program.agree(communicator)
    var fingerprint: String?
    if let data {
      fingerprint = try ImageFolder(root: data).fingerprint()
      try RankAgreement.check([("data in \(data)", fingerprint!)], communicator)
    }
    let ranks = try RankReport.gather(own, communicator)

    let before = NetworkCounters.current()
    let (links, sent) = try LinkProbe(ranks).run(communicator)
    let sending = before.carriers(of: sent, until: .current())
    var carriers: [String: [String]] = [:]
    for (rank, names) in zip(ranks, try communicator.allGather(encoding: sending))
    where placement.nodeCount > 1 && !names.isEmpty {
      carriers[rank.host] = names
    }
    return Report(
      ranks: ranks, data: fingerprint, links: links, carriers: carriers,
      latencySeconds: links.map(\.latencySeconds).max(), bytesPerSecond: links.map(\.bytesPerSecond).min(),
      warnings: ClusterTraps.find(ranks) + Self.slow(links))
  }

  /// Links that are much slower than most.
  package static func slow(_ links: [LinkProbe.Link]) -> [String] {
    guard links.count > 2 else { return [] }
    let median = Timing(links.map(\.bytesPerSecond)).median
    return links.filter { $0.bytesPerSecond < median / 3 }.map { link in
      "the link \(link.from) - \(link.to) carries \((link.bytesPerSecond / 1e9).shown(3)) GB/s where most carry "
        + "\((median / 1e9).shown(3)): all ranks wait for it."
    }
  }
}

/// The short form of `cosface check`, some milliseconds at the start of each run.
package enum StartCheck {
  /// Refuses ranks that run another program, or other versions of libraries. Returns warnings, on every rank the same.
  /// Collective.
  package static func run(_ communicator: Communicator, _ placement: Placement) throws -> [String] {
    guard communicator.size > 1 else { return ClusterTraps.headers(LibraryVersion.all) }
    let own = try RankReport.current(communicator, placement)
    // Before anything else: ranks of different programs may not even understand each other's reports.
    try own.program.agree(communicator)
    return ClusterTraps.find(try RankReport.gather(own, communicator))
  }
}
