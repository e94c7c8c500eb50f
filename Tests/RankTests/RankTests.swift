import Foundation
import MPI
import Testing

/// Parent of all suites that communicate, run under mpirun with 1, 2, 3 and 4 ranks, and with one rank by `swift test`.
///
/// Serialized, because the ranks must come to the same test at the same time. Add suites by `extension RankTests`.
/// A test must call the same collectives on every rank: keep them out of `#expect` on one rank, and throw on all or none.
@Suite(.serialized) enum RankTests {
  /// All ranks. MPI starts with the first test and ends with the process.
  static let world: Communicator = {
    do {
      let world = try World.initialize()
      atexit { try? World.finalize() }
      return world
    } catch {
      fatalError("\(error)")
    }
  }()

  /// The sum of f(rank) over all ranks.
  static func sumOverRanks(_ f: (Int) -> Int) -> Int {
    (0..<world.size).map(f).reduce(0, +)
  }
}
