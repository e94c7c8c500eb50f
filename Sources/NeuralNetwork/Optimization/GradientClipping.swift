import VectorKernels

/// Clipping by the global norm: gradients of all stores together are made no longer than `maximumNorm`.
///
/// As `torch.nn.utils.clip_grad_norm_`: the factor is maximumNorm / (norm + 1e-6), 1 if that is more. The norm is a sum
/// in Double over fixed pieces in a fixed order, so that ranks with different numbers of threads find the same factor.
package final class GradientClipping {
  package let stores: [ParameterStore]
  package let maximumNorm: Double

  private static let piece = 1 << 16

  package init(_ stores: [ParameterStore], maximumNorm: Double) {
    precondition(maximumNorm > 0, "Gradients clipped to a norm of \(maximumNorm)")
    self.stores = stores
    self.maximumNorm = maximumNorm
  }

  /// The norm of all gradients, with those elsewhere whose squares sum up to `squaresElsewhere`. One read of each.
  package func norm(squaresElsewhere: Double = 0) -> Double {
    var sum = 0.0
    for store in stores { Self.add(squaresOf: store, to: &sum) }
    return (sum + squaresElsewhere).squareRoot()
  }

  /// The sum of squares of a store's gradients. One read.
  package static func squaredNorm(of store: ParameterStore) -> Double {
    var sum = 0.0
    add(squaresOf: store, to: &sum)
    return sum
  }

  private static func add(squaresOf store: ParameterStore, to sum: inout Double) {
    let count = store.gradients.count
    guard count > 0, let gradients = store.gradients.baseAddress else { return }
    let pieces = (count + piece - 1) / piece
    withUnsafeTemporaryAllocation(of: Double.self, capacity: pieces) { sums in
      nonisolated(unsafe) let sums = sums
      Parallel.ranges(pieces) { part in
        for index in part {
          let start = index * piece
          sums[index] = sumOfSquares(gradients + start, count: min(piece, count - start))
        }
      }
      for index in 0..<pieces { sum += sums[index] }
    }
  }

  /// What `SGD.update` multiplies gradients of this norm with.
  package func factor(forNorm norm: Double) -> Float {
    Float(min(1, maximumNorm / (norm + 1e-6)))
  }
}

/// The sum of squares in Double: Float's range ends at gradients of 1e19, and a Float sum of millions loses digits.
func sumOfSquares(_ x: UnsafePointer<Float>, count: Int) -> Double {
  var (low, high) = (SIMD4<Double>.zero, SIMD4<Double>.zero)
  var i = 0
  while i &+ 8 <= count {
    let v = SIMD8(from: x + i)
    let (a, b) = (SIMD4<Double>(v.lowHalf), SIMD4<Double>(v.highHalf))
    low.addProduct(a, a)
    high.addProduct(b, b)
    i &+= 8
  }
  var sum = (low + high).sum()
  while i < count {
    sum += Double(x[i]) * Double(x[i])
    i &+= 1
  }
  return sum
}
