import Glibc
import Synchronization

/// For the library: MPI in a program that is not ours, which ends when and how it likes.
extension World {
  private static let guest = Mutex<Guest?>(nil)

  private struct Guest: Sendable {
    let communicator: Communicator
    let placement: Placement
    /// Whether a collective work is under way that the other ranks wait in.
    var isAtWork = false
  }

  /// Runs `body`, which is collective, with the communicator of all ranks. MPI starts at the first call, under a
  /// watchdog's eyes, and ends with the process.
  ///
  /// - Parameters:
  ///   - collectiveTimeout: as for `run`; that of the first call counts.
  ///   - hint: how the program's author allows longer waits.
  /// - Throws: what `body` throws, where there is one rank. With several, the others wait in a collective for the one that
  ///   failed: all are ended with one message and exit code 1. So they are where the program ends within `body`, or
  ///   afterwards with an exit code that is not 0.
  package static func visit<Result>(
    collectiveTimeout: Double, hint: String, _ body: (Communicator) throws -> Result
  ) throws -> Result {
    var placement: Placement?
    do {
      let communicator: Communicator
      if let known = guest.withLock({ $0 }) {
        (communicator, placement) = (known.communicator, known.placement)
      } else {
        // The watchdog stays for as long as the process does.
        communicator = try start(collectiveTimeout, hint) { placement = $0 }.0
        let new = Guest(communicator: communicator, placement: placement!)
        guest.withLock { $0 = new }
        on_exit({ status, _ in World.leave(status) }, nil)
      }
      guest.withLock { $0?.isAtWork = true }
      defer { guest.withLock { $0?.isAtWork = false } }
      return try body(communicator)
    } catch {
      guard Launch.size > 1 else { throw error }
      abort(FailureReport(error), rank: currentRank, at: placement)
    }
  }

  /// On the way out of the process.
  private static func leave(_ status: Int32) {
    guard isRunning, let known = guest.withLock({ $0 }) else { return }
    if known.communicator.size > 1, known.isAtWork {
      let report = FailureReport(
        message: "Error: this program ended with exit code \(status) in the midst of what all ranks do together",
        exitCode: status == 0 ? 1 : status)
      abort(report, rank: (known.communicator.rank, known.communicator.size), at: known.placement)
    }
    if known.communicator.size > 1, status != 0 { abandon(status) }
    try? finalize()
  }
}
