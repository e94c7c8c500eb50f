import VectorKernels

/// Stochastic gradient descent with momentum, in PyTorch's order (`torch.optim.SGD`).
///
/// p parameter, g gradient, v momentum, c the clipping factor (1 without clipping):
///
///     d = c g + decay p        v = momentum v + d        p = p - rate v                    plain
///                                                        p = p - rate (d + momentum v)     Nesterov
package struct SGD: Equatable, Sendable {
  package static let stateNames = ["momentum"]

  package var momentum: Float
  package var isNesterov: Bool

  package init(momentum: Float = 0.9, isNesterov: Bool = false) {
    self.momentum = momentum
    self.isNesterov = isNesterov
  }

  /// One step of it.
  package struct Rule: Sendable {
    private let momentum: Float
    private let isNesterov: Bool
    private let rate: Float
    private let decay: Float
    private let factor: Float

    init(_ sgd: SGD, _ step: UpdateStep, _ weightDecay: Float) {
      (momentum, isNesterov) = (sgd.momentum, sgd.isNesterov)
      (rate, decay, factor) = (Float(step.learningRate), weightDecay, step.gradientFactor)
    }

    func apply(
      _ old: UnsafePointer<Float>, into new: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>,
      velocity: UnsafeMutablePointer<Float>, count: Int
    ) {
      // One branch a run, not one an element.
      if isNesterov {
        run(old, new, gradient, velocity, count, nesterov: true)
      } else {
        run(old, new, gradient, velocity, count, nesterov: false)
      }
    }

    @inline(__always)
    private func run(
      _ old: UnsafePointer<Float>, _ new: UnsafeMutablePointer<Float>, _ gradient: UnsafePointer<Float>,
      _ velocity: UnsafeMutablePointer<Float>, _ count: Int, nesterov: Bool
    ) {
      var i = 0
      let whole = count & ~7
      while i < whole {
        let p = SIMD8(from: old + i)
        let d = (SIMD8(from: gradient + i) * factor).addingProduct(SIMD8(repeating: decay), p)
        let v = d.addingProduct(SIMD8(repeating: momentum), SIMD8(from: velocity + i))
        v.store(to: velocity + i)
        let step = nesterov ? d.addingProduct(SIMD8(repeating: momentum), v) : v
        p.addingProduct(SIMD8(repeating: -rate), step).store(to: new + i)
        i &+= 8
      }
      while i < count {
        let p = old[i]
        let d = (gradient[i] * factor).addingProduct(decay, p)
        let v = d.addingProduct(momentum, velocity[i])
        velocity[i] = v
        let step = nesterov ? d.addingProduct(momentum, v) : v
        new[i] = p.addingProduct(-rate, step)
        i &+= 1
      }
    }
  }
}
