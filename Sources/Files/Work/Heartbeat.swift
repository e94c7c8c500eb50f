import Glibc
import Synchronization

/// When this process last got something done outside of MPI: a piece of a file, an image. The watchdog of the ranks
/// listens, so that one that works alone for long is not taken for a hung one.
package enum Heartbeat {
  /// In nanoseconds; 0 before the first.
  private static let last = Atomic<UInt64>(0)

  /// For any thread; costs a look at the clock.
  package static func beat() { last.store(now, ordering: .relaxed) }

  /// Infinite before the first beat.
  package static var idleSeconds: Double {
    let (done, clock) = (last.load(ordering: .relaxed), now)
    if done == 0 { return .infinity }
    return clock > done ? Double(clock - done) / 1e9 : 0
  }

  /// Nanoseconds of a clock that never goes back.
  ///
  /// The corresponding C function is `clock_gettime` with `CLOCK_MONOTONIC`.
  package static var now: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
