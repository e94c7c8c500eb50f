import VectorKernels

/// What SGD does to a run of elements: the block form of `SGD`, used by it and by the fused classifier.
package struct UpdateRule: Sendable {
  package var learningRate: Float
  package var momentum: Float
  package var weightDecay: Float
  package var isNesterov: Bool
  /// What clipping multiplies the gradient with.
  package var gradientFactor: Float

  package init(
    learningRate: Float, momentum: Float = 0.9, weightDecay: Float = 0, isNesterov: Bool = false,
    gradientFactor: Float = 1
  ) {
    self.learningRate = learningRate
    self.momentum = momentum
    self.weightDecay = weightDecay
    self.isNesterov = isNesterov
    self.gradientFactor = gradientFactor
  }

  /// Updates `count` elements: the new values, computed from `old`, go to `new` (the same memory or another).
  package func apply(
    _ old: UnsafePointer<Float>, into new: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>,
    momentum velocity: UnsafeMutablePointer<Float>, count: Int
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
      let d = (SIMD8(from: gradient + i) * gradientFactor).addingProduct(SIMD8(repeating: weightDecay), p)
      let v = d.addingProduct(SIMD8(repeating: momentum), SIMD8(from: velocity + i))
      v.store(to: velocity + i)
      let step = nesterov ? d.addingProduct(SIMD8(repeating: momentum), v) : v
      p.addingProduct(SIMD8(repeating: -learningRate), step).store(to: new + i)
      i &+= 8
    }
    while i < count {
      let p = old[i]
      let d = (gradient[i] * gradientFactor).addingProduct(weightDecay, p)
      let v = d.addingProduct(momentum, velocity[i])
      velocity[i] = v
      let step = nesterov ? d.addingProduct(momentum, v) : v
      new[i] = p.addingProduct(-learningRate, step)
      i &+= 1
    }
  }
}
