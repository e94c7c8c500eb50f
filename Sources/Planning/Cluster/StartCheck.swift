import Distributed
package import MPI

/// The short form of `cosface check`, some milliseconds at the start of each run.
package enum StartCheck {
  /// Refuses ranks that run another program, or other libraries. Returns warnings, on every rank the same. Collective.
  package static func run(_ communicator: Communicator, _ placement: Placement) throws -> [String] {
    guard communicator.size > 1 else { return [] }
    let own = try RankReport.current(communicator, placement)
    // Before anything else: ranks of different programs may not even understand each other's reports.
    try RankAgreement.check(own.program.named, communicator)
    return ClusterTraps.find(try RankReport.gather(own, communicator))
  }
}
