/// How often numbers fall between limits of equal distance.
package struct Histogram: Equatable {
  package let minimum: Double
  package let maximum: Double
  package let sum: Double
  package let sumOfSquares: Double
  /// Bucket i holds what lies in minimum + i width ..< minimum + (i + 1) width, the last one the maximum too.
  package let counts: [Int]
  var width: Double { (maximum - minimum) / Double(counts.count) }
  var count: Int { counts.reduce(0, +) }

  /// Nil for no numbers. All must be finite. Equal numbers take a single bucket.
  package init?(_ values: some Collection<Float>, buckets: Int = 50) {
    guard let (least, most) = Self.extent(values) else { return nil }
    var counts = [Int](repeating: 0, count: most > least ? buckets : 1)
    let perUnit = most > least ? Double(buckets) / (most - least) : 0
    var (sum, squares) = (0.0, 0.0)
    for value in values {
      let value = Double(value)
      sum += value
      squares += value * value
      counts[min(Int((value - least) * perUnit), counts.count - 1)] += 1
    }
    (minimum, maximum, self.sum, sumOfSquares, self.counts) = (least, most, sum, squares, counts)
  }

  /// As TensorBoard takes it: the last limit is the maximum itself.
  var message: Tensorboard_HistogramProto {
    var message = Tensorboard_HistogramProto()
    message.min = minimum
    message.max = maximum
    message.num = Double(count)
    message.sum = sum
    message.sumSquares = sumOfSquares
    message.bucketLimit = counts.indices.dropLast().map { minimum + Double($0 + 1) * width } + [maximum]
    message.bucket = counts.map(Double.init)
    return message
  }

  private static func extent(_ values: some Collection<Float>) -> (Double, Double)? {
    guard var least = values.first else { return nil }
    var most = least
    for value in values {
      least = min(least, value)
      most = max(most, value)
    }
    return (Double(least), Double(most))
  }
}
