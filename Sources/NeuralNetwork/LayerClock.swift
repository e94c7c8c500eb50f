import Glibc

/// Sums up the time that the threads of a pass spend in each direction of each layer.
///
/// A pass works through one chain of layers after the other; within a chain each thread takes its pieces of the batch
/// through all layers, so that threads are in different layers at once. A layer's time is what all threads spent in it,
/// divided by their number. What is done outside of such a chain counts in full: layers over the whole batch, whose
/// work threads share, and the weights' way into another order. So the times of all layers, and the time that threads
/// wait for the slowest of them, add up to the pass's time on the clock.
///
/// Each call of a layer costs one look at the clock. Nothing is allocated after the start.
package final class LayerClock {
  package let works: [LayerWork]
  private let threads: Int
  /// For each thread, and for what happens outside of parallel regions, a row: its last look at the clock, and
  /// nanoseconds by layer and direction.
  private let rows: UnsafeMutableBufferPointer<Int64>
  private let stride: Int
  private var regionStart: Int64 = 0
  private var regionNanoseconds: Int64 = 0

  private static let directions = LayerDirection.allCases.count
  /// Int64s of a cache line.
  private static let line = 8

  package init(_ pass: Pass, threads: Int = Parallel.threads) {
    works = pass.works
    self.threads = threads
    stride = (1 + works.count * Self.directions + Self.line - 1) / Self.line * Self.line
    // A line more between the rows: no two threads write to one.
    rows = .allocate(capacity: (threads + 1) * (stride + Self.line))
    clear()
  }

  deinit { rows.deallocate() }

  /// Begins anew.
  package func clear() {
    rows.update(repeating: 0)
    (regionStart, regionNanoseconds) = (0, 0)
  }

  package func seconds(_ layer: Int, _ direction: LayerDirection) -> Double {
    let place = Self.place(layer, direction)
    return 1e-9 * (Double(row(threads)[place]) + Double(inRegions(place)) / Double(threads))
  }

  /// What threads waited for the slowest of them, and the beginning and ending of parallel regions.
  package var waitingSeconds: Double {
    let sum = (1..<stride).reduce(0) { $0 + inRegions($1) }
    return 1e-9 * (Double(regionNanoseconds) - Double(sum) / Double(threads))
  }

  /// The calling thread begins with something.
  func start() { current[0] = Self.now }

  /// What the calling thread has done since its last look at the clock belongs to this layer.
  func stop(_ layer: Int, _ direction: LayerDirection) {
    let (row, now) = (current, Self.now)
    row[Self.place(layer, direction)] += now - row[0]
    row[0] = now
  }

  /// Pieces go through a chain; not where the batch goes as a whole, or one thread works alone.
  func enter(_ pieces: Pieces) {
    if !pieces.isWhole && threads > 1 { regionStart = Self.now }
  }

  func leave() {
    guard regionStart > 0 else { return }
    regionNanoseconds += Self.now - regionStart
    regionStart = 0
  }

  private static func place(_ layer: Int, _ direction: LayerDirection) -> Int {
    1 + layer * directions + direction.number
  }

  private func inRegions(_ place: Int) -> Int64 { (0..<threads).reduce(0) { $0 + row($1)[place] } }

  private func row(_ number: Int) -> UnsafeMutablePointer<Int64> {
    rows.baseAddress! + number * (stride + Self.line)
  }

  /// The calling thread's.
  private var current: UnsafeMutablePointer<Int64> { row(Parallel.isInside ? Parallel.part : threads) }

  /// Nanoseconds.
  ///
  /// The corresponding C function is `clock_gettime` with `CLOCK_MONOTONIC`.
  private static var now: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

extension LayerDirection {
  fileprivate var number: Int {
    switch self {
    case .forward: 0
    case .forwardAgain: 1
    case .backwardData: 2
    case .backwardWeights: 3
    case .backward: 4
    }
  }
}
