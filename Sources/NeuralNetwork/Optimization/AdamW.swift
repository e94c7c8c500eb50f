import Foundation
import VectorKernels

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2), in PyTorch's order (`torch.optim.AdamW`).
///
/// p parameter, g gradient, c the clipping factor (1 without clipping), t the step, which counts from 1:
///
///     m = m + (1 - beta1) (c g - m)        v = beta2 v + (1 - beta2) (c g)^2
///     p = (1 - rate decay) p - rate / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
package struct AdamW: Equatable, Sendable {
  /// PyTorch's names of m and v.
  package static let stateNames = ["exp_avg", "exp_avg_sq"]

  package var beta1: Double
  package var beta2: Double
  package var epsilon: Double

  package init(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
  }

  /// One step of it.
  package struct Rule: Sendable {
    private let kept: Float
    private let rate: Float
    private let newAverage: Float
    private let oldSquare: Float
    private let newSquare: Float
    private let correction: Float
    private let epsilon: Float
    private let factor: Float

    init(_ adam: AdamW, _ step: UpdateStep, _ weightDecay: Float) {
      let t = Double(step.index + 1)
      kept = Float(1 - step.learningRate * Double(weightDecay))
      rate = Float(step.learningRate / (1 - pow(adam.beta1, t)))
      newAverage = Float(1 - adam.beta1)
      (oldSquare, newSquare) = (Float(adam.beta2), Float(1 - adam.beta2))
      correction = Float((1 - pow(adam.beta2, t)).squareRoot())
      epsilon = Float(adam.epsilon)
      factor = step.gradientFactor
    }

    func apply(
      _ old: UnsafePointer<Float>, into new: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>,
      average: UnsafeMutablePointer<Float>, square: UnsafeMutablePointer<Float>, count: Int
    ) {
      var i = 0
      let whole = count & ~7
      while i < whole {
        let g = SIMD8(from: gradient + i) * factor
        let before = SIMD8(from: average + i)
        let m = before.addingProduct(SIMD8(repeating: newAverage), g - before)
        let v = (SIMD8(from: square + i) * oldSquare).addingProduct(g * newSquare, g)
        m.store(to: average + i)
        v.store(to: square + i)
        let divisor = v.squareRoot() / correction + epsilon
        (SIMD8(from: old + i) * kept).addingProduct(SIMD8(repeating: -rate), m / divisor).store(to: new + i)
        i &+= 8
      }
      while i < count {
        let g = gradient[i] * factor
        let before = average[i]
        let m = before.addingProduct(newAverage, g - before)
        let v = (square[i] * oldSquare).addingProduct(g * newSquare, g)
        average[i] = m
        square[i] = v
        let divisor = v.squareRoot() / correction + epsilon
        new[i] = (old[i] * kept).addingProduct(-rate, m / divisor)
        i &+= 1
      }
    }
  }
}
