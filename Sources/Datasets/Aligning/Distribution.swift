/// Where numbers lie.
package struct Distribution: Codable, Equatable, Sendable {
  package let count: Int
  package let mean: Double
  /// Of these numbers themselves (divided by their count, as `numpy.std`); 0 for a single one.
  package let standardDeviation: Double
  package let minimum: Double
  package let maximum: Double

  package init(count: Int, mean: Double, standardDeviation: Double, minimum: Double, maximum: Double) {
    (self.count, self.mean, self.standardDeviation) = (count, mean, standardDeviation)
    (self.minimum, self.maximum) = (minimum, maximum)
  }

  /// Two passes, so that a small deviation beside a large mean is not lost.
  package init(of values: [Double]) {
    precondition(!values.isEmpty, "The distribution of no numbers")
    count = values.count
    var sum = 0.0
    var least = values[0]
    var most = values[0]
    for value in values {
      sum += value
      least = min(least, value)
      most = max(most, value)
    }
    let mean = sum / Double(values.count)
    var squares = 0.0
    for value in values { squares += (value - mean) * (value - mean) }
    self.mean = mean
    standardDeviation = (squares / Double(values.count)).squareRoot()
    minimum = least
    maximum = most
  }
}
