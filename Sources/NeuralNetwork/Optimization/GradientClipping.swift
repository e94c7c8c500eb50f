/// Clipping by the global norm: gradients of all stores together are made no longer than `maximumNorm`.
///
/// As `torch.nn.utils.clip_grad_norm_`: the factor is maximumNorm / (norm + 1e-6), 1 if that is more. The norm is a sum
/// in Double over fixed pieces in a fixed order, so that ranks with different numbers of threads find the same factor.
package final class GradientClipping {
  package let stores: [ParameterStore]
  package let maximumNorm: Double

  private static let piece = 1 << 16
  private var partialSums: [Double]

  package init(_ stores: [ParameterStore], maximumNorm: Double) {
    precondition(maximumNorm > 0, "Gradients clipped to a norm of \(maximumNorm)")
    self.stores = stores
    self.maximumNorm = maximumNorm
    let pieces = stores.map { ($0.gradients.count + Self.piece - 1) / Self.piece }.max() ?? 0
    partialSums = Array(repeating: 0, count: pieces)
  }

  /// The norm of all gradients. One read of each.
  package func norm() -> Double {
    var sum = 0.0
    for store in stores {
      let count = store.gradients.count
      guard count > 0, let gradients = store.gradients.baseAddress else { continue }
      let pieces = (count + Self.piece - 1) / Self.piece
      partialSums.withUnsafeMutableBufferPointer { sums in
        nonisolated(unsafe) let sums = sums
        Parallel.ranges(pieces) { part in
          for piece in part {
            let start = piece * Self.piece
            sums[piece] = sumOfSquares(gradients + start, count: min(Self.piece, count - start))
          }
        }
        for piece in 0..<pieces { sum += sums[piece] }
      }
    }
    return sum.squareRoot()
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
    let v = load8(x + i)
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
