import VectorKernels

/// Muon (Jordan et al. 2024; scaled as Liu et al. 2025, section 2.2): momentum made orthogonal, for weights that are matrices.
///
/// W parameter (rows, columns), g gradient, c the clipping factor (1 without clipping), m its average, in PyTorch's order
/// (`torch.optim.Muon`, `adjust_lr_fn="match_rms_adamw"`):
///
///     m = m + (1 - momentum) (c g - m)        d = c g + momentum (m - c g)        O = `Orthogonalization` of d
///     W = (1 - rate decay) W - factor rate 0.2 sqrt(max(rows, columns)) O
///
/// A direction in which the gradient is small moves a weight as far as one in which it is large, so that a step learns from
/// rare samples too. What is no matrix (normalization, PReLU, depthwise convolutions, the class weight's rows) is
/// updated by AdamW, whose steps are of the size that 0.2 sqrt(max) gives those of factor 1.
package struct Muon: Equatable, Sendable {
  package var momentum: Double
  /// How much larger a matrix's steps are than AdamW's.
  package var factor: Double
  /// Of what is no matrix. Its first state holds the matrices' averages; its second one stays zero there.
  package var adam: AdamW

  package init(momentum: Double = 0.95, factor: Double = 4, adam: AdamW = AdamW()) {
    (self.momentum, self.factor, self.adam) = (momentum, factor, adam)
  }

  /// Of an IResNet's fully connected layer over its last map, 25,088, the orthogonalization would take as long as a step.
  private static let longestSide = 8192

  /// Whether it updates `parameter` as a matrix: a convolution that joins channels, or a fully connected layer that is not
  /// too long.
  package static func isMatrix(_ parameter: Parameter) -> Bool {
    guard parameter.isTrained, parameter.shape.count > 1, parameter.shape[1] > 1 else { return false }
    return max(parameter.shape[0], parameter.count / parameter.shape[0]) <= longestSide
  }

  /// One step of it for elements of a matrix, in two passes with the orthogonalization between them.
  package struct Rule: Sendable {
    private let kept: Float
    private let rate: Float
    private let momentum: Float
    private let newAverage: Float
    private let gradientFactor: Float

    /// `longerSide` = max(rows, columns).
    init(_ muon: Muon, _ step: UpdateStep, _ weightDecay: Float, longerSide: Int) {
      kept = Float(1 - step.learningRate * Double(weightDecay))
      rate = Float(muon.factor * step.learningRate * 0.2 * Double(longerSide).squareRoot())
      (momentum, newAverage) = (Float(muon.momentum), Float(1 - muon.momentum))
      gradientFactor = step.gradientFactor
    }

    /// m, and d in the gradient's place.
    func average(
      _ gradient: UnsafeMutablePointer<Float>, average: UnsafeMutablePointer<Float>, count: Int
    ) {
      var i = 0
      let whole = count & ~7
      while i < whole {
        let g = SIMD8(from: gradient + i) * gradientFactor
        let before = SIMD8(from: average + i)
        let m = before.addingProduct(SIMD8(repeating: newAverage), g - before)
        m.store(to: average + i)
        g.addingProduct(SIMD8(repeating: momentum), m - g).store(to: gradient + i)
        i &+= 8
      }
      while i < count {
        let g = gradient[i] * gradientFactor
        let m = average[i].addingProduct(newAverage, g - average[i])
        average[i] = m
        gradient[i] = g.addingProduct(momentum, m - g)
        i &+= 1
      }
    }

    /// W from O.
    func apply(_ values: UnsafeMutablePointer<Float>, direction: UnsafePointer<Float>, count: Int) {
      var i = 0
      let whole = count & ~7
      while i < whole {
        (SIMD8(from: values + i) * kept)
          .addingProduct(SIMD8(repeating: -rate), SIMD8(from: direction + i)).store(to: values + i)
        i &+= 8
      }
      while i < count {
        values[i] = (values[i] * kept).addingProduct(-rate, direction[i])
        i &+= 1
      }
    }
  }
}
