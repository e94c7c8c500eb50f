import Datasets
import Inference
import MPI

extension RankedScores {
  /// Where the scores of one kind of pairs lie.
  ///
  /// Sums are whole numbers of steps, so no order of the pairs plays a part. With the mean m rounded to q steps,
  ///
  ///     sum (x - m)^2 = sum (x - q)^2 - n (m - q)^2
  func distribution(ofSame isSame: Bool) throws -> Distribution {
    let count = isSame ? sameCount : differentCount
    var sum: Int128 = 0
    for pair in pairs where pair.same == isSame { sum &+= Int128(pair.steps) }
    let (middle, rest) = try group.sum(sum).quotientAndRemainder(dividingBy: Int128(count))
    let center = Int(middle)
    // A distance has at most 46 bits, its square 92.
    var squares: Int128 = 0
    for pair in pairs where pair.same == isSame {
      let distance = Int128(pair.steps - center)
      squares &+= distance &* distance
    }
    let offset = Double(rest) / Double(count)
    let variance = try Double(group.sum(squares)) / Double(count) - offset * offset
    let lowest = pairs.last { $0.same == isSame }?.steps ?? Int.max
    let highest = pairs.first { $0.same == isSame }?.steps ?? Int.min
    return try Distribution(
      count: count, mean: (Double(center) + offset) * CosineStep.value(of: 1),
      standardDeviation: max(0, variance).squareRoot() * CosineStep.value(of: 1),
      minimum: CosineStep.value(of: group.reduce([lowest], .min)[0]),
      maximum: CosineStep.value(of: group.reduce([highest], .max)[0]))
  }
}
