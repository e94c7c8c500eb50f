/// Sums per channel over a batch that comes in pieces: a row for each thread, joined in the threads' order.
///
/// Which images a thread sees is fixed, so the result is the same in every run with the same number of threads.
final class ChannelSumsTable {
  private let groups: Int
  private let rows: Int
  /// (rows, groups)
  private let sums: UnsafeMutablePointer<ChannelSums>
  /// What each row's values were shifted by before they were squared: the first value that the thread saw.
  private let shifts: UnsafeMutablePointer<ChannelVector>
  /// Images in each row, a cache line apart.
  private let counts: UnsafeMutablePointer<Int>
  private static let line = 8

  init(groups: Int) {
    self.groups = groups
    rows = groups > 0 ? Parallel.threads : 0
    sums = .allocate(capacity: rows * groups)
    shifts = .allocate(capacity: rows * groups)
    counts = .allocate(capacity: rows * Self.line)
    sums.initialize(repeating: ChannelSums(), count: rows * groups)
    shifts.initialize(repeating: .zero, count: rows * groups)
    counts.initialize(repeating: 0, count: rows * Self.line)
  }

  deinit {
    sums.deallocate()
    shifts.deallocate()
    counts.deallocate()
  }

  func clear() {
    sums.update(repeating: ChannelSums(), count: rows * groups)
    counts.update(repeating: 0, count: rows * Self.line)
  }

  /// Adds `terms` of each group of `images` to the calling thread's row; outside of a region the groups are divided
  /// among the threads and the row is the first.
  func add(
    _ images: Range<Int>, _ view: ChannelView,
    terms: (_ image: Int, _ group: Int, _ shift: ChannelVector) -> ChannelSums,
    firstValue: (_ group: Int) -> ChannelVector
  ) {
    let row = Parallel.isInside ? Parallel.part : 0
    precondition(row < rows, "Thread \(row) of a pass made for \(rows)")
    let isFirst = counts[row * Self.line] == 0
    Parallel.ranges(groups) { groups in
      for group in groups {
        let index = row * self.groups + group
        if isFirst { shifts[index] = firstValue(group) }
        for image in images { sums[index] += terms(image, group, shifts[index]) }
      }
    }
    counts[row * Self.line] += images.count
  }

  /// The plain sums of a group.
  func total(_ group: Int) -> ChannelSums {
    var total = ChannelSums()
    for row in 0..<rows { total += sums[row * groups + group] }
    return total
  }

  /// Means and sums of squared differences from them, given that the terms were (x - shift) and (x - shift)^2.
  ///
  /// Rows are joined by the pairwise formula (Chan, Golub and LeVeque 1983), which subtracts nothing large.
  func moments(_ group: Int, positions: Int) -> (means: SIMD8<Double>, squares: SIMD8<Double>) {
    var count = 0.0
    var means = SIMD8<Double>(repeating: 0)
    var squares = means
    for row in 0..<rows where counts[row * Self.line] > 0 {
      let sum = sums[row * groups + group]
      let own = Double(counts[row * Self.line] * positions)
      let shifted = sum.first / own
      let difference = SIMD8<Double>(shifts[row * groups + group]) + shifted - means
      let rest = sum.second - sum.first * shifted
      count += own
      means += difference * (own / count)
      squares += rest.replacing(with: 0, where: rest .< 0) + difference * difference * (own * (count - own) / count)
    }
    return (means, squares)
  }
}
