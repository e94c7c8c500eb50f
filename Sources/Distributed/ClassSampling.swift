import VectorKernels

/// Which classes a step computes besides those of its samples: PartialFC's sample of the negatives (An et al. 2021).
///
/// A class is drawn if a random number of (seed, step, class) is below `rate`: so the sample depends on neither the
/// number of ranks nor the steps before, and a resumed run draws the same.
package struct ClassSampling: Sendable, Equatable {
  /// Below this many classes a full softmax costs little, and leaving negatives out costs accuracy.
  package static let leastClasses = 100_000

  /// In (0, 1].
  package let rate: Double
  package let seed: UInt64

  package init(rate: Double, seed: UInt64) {
    precondition(rate > 0 && rate <= 1, "A sample of \(rate) of the classes")
    self.rate = rate
    self.seed = seed
  }

  /// - Throws: `ShardingError` where the classes are so few that all should be computed.
  package static func check(classCount: Int) throws(ShardingError) {
    guard classCount >= leastClasses else { throw .tooFewClassesToSample(classCount) }
  }

  /// Rows of `classes` that take part in a step, ascending: the sample and the labels among them.
  package func rows(of classes: Range<Int>, step: Int, labels: some Sequence<Int32>) -> [Int32] {
    var generator = CounterGenerator(seed: seed, purpose: .classes, step)
    generator.skip(classes.lowerBound)
    let threshold = rate * 0x1p53
    var isActive = [Bool](repeating: false, count: classes.count)
    for row in isActive.indices { isActive[row] = Double(generator.next() >> 11) < threshold }
    for label in labels where classes.contains(Int(label)) { isActive[Int(label) - classes.lowerBound] = true }
    return isActive.indices.lazy.filter { isActive[$0] }.map { Int32($0) }
  }

  /// Rows to allocate: with `count` classes and `samples` labels more hardly ever take part.
  package func capacity(of count: Int, samples: Int) -> Int {
    let mean = rate * Double(count)
    let deviation = (mean * (1 - rate)).squareRoot()
    return min(Int((mean + 8 * deviation).rounded(.up)) + samples, count)
  }
}
