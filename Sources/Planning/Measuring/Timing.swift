/// Durations of repeated work, in seconds.
package struct Timing: Sendable {
  package let seconds: [Double]

  package init(_ seconds: [Double]) {
    precondition(!seconds.isEmpty, "A timing of nothing")
    self.seconds = seconds.sorted()
  }

  /// The middle one, or the mean of the two in the middle.
  package var median: Double {
    let middle = seconds.count / 2
    return seconds.count % 2 == 1 ? seconds[middle] : (seconds[middle - 1] + seconds[middle]) / 2
  }

  package var minimum: Double { seconds[0] }

  /// Runs `body` `warmUp` times unmeasured, then `count` times.
  package static func measure(_ count: Int, warmUp: Int = 2, _ body: () throws -> Void) rethrows -> Timing {
    precondition(count > 0, "\(count) measurements")
    for _ in 0..<warmUp { try body() }
    return Timing(
      try (0..<count).map { _ in
        let start = ContinuousClock.now
        try body()
        return (ContinuousClock.now - start).seconds
      })
  }
}
