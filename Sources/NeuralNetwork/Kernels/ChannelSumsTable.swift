import VectorKernels

/// Three sums per channel over a batch that comes in pieces: a row for each thread, joined in the threads' order.
///
/// Which images a thread sees is fixed, so the result is the same in every run with the same number of threads.
final class ChannelSumsTable {
  private let view: ChannelView
  private let rows: Int
  /// (rows, 3, channels)
  private let sums: UnsafeMutablePointer<Double>
  /// (rows, channels): what each row's values were shifted by before they were squared, the first that the thread saw.
  private let shifts: UnsafeMutablePointer<Float>
  /// Images in each row, a cache line apart.
  private let counts: UnsafeMutablePointer<Int>
  private static let line = 8
  private static let kinds = 3

  /// - Parameter isUsed: false takes no memory.
  init(_ view: ChannelView, isUsed: Bool) {
    self.view = view
    rows = isUsed ? Parallel.threads : 0
    sums = .allocate(capacity: rows * Self.kinds * view.channels)
    shifts = .allocate(capacity: rows * view.channels)
    counts = .allocate(capacity: rows * Self.line)
    shifts.initialize(repeating: 0, count: rows * view.channels)
    sums.initialize(repeating: 0, count: rows * Self.kinds * view.channels)
    counts.initialize(repeating: 0, count: rows * Self.line)
  }

  deinit {
    sums.deallocate()
    shifts.deallocate()
    counts.deallocate()
  }

  func clear() {
    sums.update(repeating: 0, count: rows * Self.kinds * view.channels)
    counts.update(repeating: 0, count: rows * Self.line)
  }

  /// Has `terms` added of each group of `images` to the calling thread's row; outside of a region the groups are divided
  /// among the threads and the row is the first.
  ///
  /// - Parameter shiftsFrom: where the batch begins whose first values become the row's shifts.
  func add(
    _ images: Range<Int>, shiftsFrom x: UnsafePointer<Float>? = nil,
    terms: (
      _ group: ChannelGroup, _ shifts: UnsafePointer<Float>, _ sums: UnsafeMutablePointer<Double>
    ) -> Void
  ) {
    let images = view.images(images)
    let row = Parallel.isInside ? Parallel.part : 0
    precondition(row < rows, "Thread \(row) of a pass made for \(rows)")
    let shifts = shifts + row * view.channels
    let sums = sums(row, 0)
    let first = counts[row * Self.line] == 0 ? x : nil
    Parallel.ranges(view.groups) { groups in
      for group in groups {
        if let first {
          let place = view.group(images.lowerBound, group)
          (shifts + place.channel).update(from: first + place.start, count: view.lanes)
        }
        for image in images { terms(view.group(image, group), shifts, sums) }
      }
    }
    counts[row * Self.line] += images.count
  }

  /// Sum `kind` (0, 1 or 2) of a channel over all rows.
  func total(_ kind: Int, _ channel: Int) -> Double {
    var total = 0.0
    for row in 0..<rows { total += sums(row, kind)[channel] }
    return total
  }

  /// The mean of a channel and the sum of squared differences from it, given that the terms were (x - shift) and
  /// (x - shift)^2.
  ///
  /// Rows are joined by the pairwise formula (Chan, Golub and LeVeque 1983), which subtracts nothing large.
  func moments(_ channel: Int) -> (mean: Double, squares: Double) {
    var (count, mean, squares) = (0.0, 0.0, 0.0)
    for row in 0..<rows where counts[row * Self.line] > 0 {
      let (sum, sumOfSquares) = (sums(row, 0)[channel], sums(row, 1)[channel])
      let own = Double(counts[row * Self.line] * view.positions)
      let shifted = sum / own
      let difference = Double(shifts[row * view.channels + channel]) + shifted - mean
      count += own
      mean += difference * (own / count)
      squares += max(sumOfSquares - sum * shifted, 0) + difference * difference * (own * (count - own) / count)
    }
    return (mean, squares)
  }

  /// A Double per channel.
  private func sums(_ row: Int, _ kind: Int) -> UnsafeMutablePointer<Double> {
    sums + (row * Self.kinds + kind) * view.channels
  }
}
