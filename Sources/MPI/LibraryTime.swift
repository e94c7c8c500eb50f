import Files

/// Time that this rank spends inside the MPI library: waiting for messages, and driving on those under way.
package enum LibraryTime {
  // Unsafe: one thread at a time may be inside the library, and only that one comes here.
  nonisolated(unsafe) private static var total: Int64 = 0
  nonisolated(unsafe) private static var watcher: ((Call) -> Void)?

  /// A call of the library.
  package struct Call {
    /// The C function.
    package let routine: StaticString
    /// What it was handed: of a gather what all ranks were, of a message's receipt what arrives. 0 where it only waits.
    package let elements: Int
    package let elementBytes: Int
    /// In nanoseconds, as `now` counts.
    package let start: Int64
    package let end: Int64
  }

  /// All calls so far, in nanoseconds.
  package static var nanoseconds: Int64 { total }

  /// `observer` hears of each call from now on; nil ends that.
  package static func observe(_ observer: ((Call) -> Void)?) {
    watcher = observer
  }

  /// Nanoseconds of a clock that never goes back.
  package static var now: Int64 { Int64(Heartbeat.now) }

  static func add(_ routine: StaticString, _ elements: Int, _ elementBytes: Int, since start: Int64) {
    let end = now
    total += end - start
    watcher?(Call(routine: routine, elements: elements, elementBytes: elementBytes, start: start, end: end))
  }
}
