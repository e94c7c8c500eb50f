/// An optimizer and its constants: how a gradient changes what is trained.
package enum Optimizer: Equatable, Sendable {
  case sgd(SGD)

  /// Names of what it keeps of each element from step to step, in the order of `UpdateRule.apply`'s states. Files and
  /// messages go by them: "momentum.layer1.0.conv1.weight".
  package var stateNames: [String] {
    switch self {
    case .sgd: SGD.stateNames
    }
  }
}

/// What an optimizer does to a run of elements in one step: used for a network's parameters and by the fused classifier.
///
/// Every element is computed by the same operations wherever it lies, so replicas stay equal to the last bit for any
/// number of threads.
package struct UpdateRule: Sendable {
  package let optimizer: Optimizer
  package let learningRate: Float
  package let weightDecay: Float
  /// What clipping multiplies the gradient with.
  package let gradientFactor: Float

  package init(_ optimizer: Optimizer, learningRate: Float, weightDecay: Float = 0, gradientFactor: Float = 1) {
    self.optimizer = optimizer
    self.learningRate = learningRate
    self.weightDecay = weightDecay
    self.gradientFactor = gradientFactor
  }

  /// Updates `count` elements: the new values, computed from `old`, go to `new` (the same memory or another). What the
  /// optimizer keeps of them begins at `offset` of each of `states`.
  package func apply(
    _ old: UnsafePointer<Float>, into new: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>,
    states: [OptimizerState], at offset: Int, count: Int
  ) {
    switch optimizer {
    case .sgd(let sgd):
      sgd.apply(self, old, into: new, gradient: gradient, states: states, at: offset, count: count)
    }
  }
}

/// What an optimizer keeps of each element of a parameter, or of all parameters of a store: its momentum, say.
package struct OptimizerState {
  /// One of `Optimizer.stateNames`.
  package let name: String
  package let values: UnsafeMutableBufferPointer<Float>

  package init(name: String, values: UnsafeMutableBufferPointer<Float>) {
    self.name = name
    self.values = values
  }

  /// The tensor's name in a checkpoint: "momentum.layer1.0.conv1.weight".
  package static func tensorName(_ state: String, of parameter: String) -> String { state + "." + parameter }
}
