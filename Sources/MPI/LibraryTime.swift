import Glibc

/// Time that this rank spends inside the MPI library: waiting for messages, and driving on those under way.
package enum LibraryTime {
  // Unsafe: one thread at a time may be inside the library, and only that one comes here.
  nonisolated(unsafe) private static var total: Int64 = 0
  nonisolated(unsafe) private static var watcher: ((StaticString, Int64, Int64) -> Void)?

  /// All calls so far, in nanoseconds.
  package static var nanoseconds: Int64 { total }

  /// `observer` hears of each call from now on: the C function, when it began and when it ended; nil ends that.
  package static func observe(_ observer: ((_ routine: StaticString, _ start: Int64, _ end: Int64) -> Void)?) {
    watcher = observer
  }

  /// Nanoseconds of a clock that never goes back.
  ///
  /// The corresponding C function is `clock_gettime` with `CLOCK_MONOTONIC`.
  package static var now: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  static func add(_ routine: StaticString, since start: Int64) {
    let end = now
    total += end - start
    watcher?(routine, start, end)
  }
}
