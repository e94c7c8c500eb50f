/// An optimizer and its constants: how gradients change what is trained.
package enum Optimizer: Equatable, Sendable {
  case sgd(SGD)
  case adamW(AdamW)
  case muon(Muon)

  /// Names of what it keeps of each element from step to step, in the order of `UpdateRule.apply`'s states. Files and
  /// messages go by them: "momentum.layer1.0.conv1.weight".
  package var stateNames: [String] {
    switch self {
    case .sgd: SGD.stateNames
    case .adamW, .muon: AdamW.stateNames
    }
  }

  /// What it does in one step of a run to each element for itself; Muon to what is no matrix.
  package func rule(_ step: UpdateStep, weightDecay: Float = 0) -> UpdateRule {
    switch self {
    case .sgd(let sgd): .sgd(.init(sgd, step, weightDecay))
    case .adamW(let adam): .adamW(.init(adam, step, weightDecay))
    case .muon(let muon): .adamW(.init(muon.adam, step, weightDecay))
    }
  }
}

extension Optimizer {
  /// Whether some parameters are updated as wholes, by `Muon.Rule`.
  package var updatesMatrices: Bool { if case .muon = self { true } else { false } }

  /// What it does to each element for itself, for parameters of which no rank has a share: Muon's AdamW.
  package var ofElements: Optimizer { if case .muon(let muon) = self { .adamW(muon.adam) } else { self } }

  /// nil for what is no matrix, which has no longer side.
  func matrixRule(_ step: UpdateStep, _ weightDecay: Float, longerSide: Int?) -> Muon.Rule? {
    guard case .muon(let muon) = self, let longerSide else { return nil }
    return Muon.Rule(muon, step, weightDecay, longerSide: longerSide)
  }
}

/// What all updates of a step have in common.
package struct UpdateStep: Sendable {
  /// Counts from 0, over all of the run.
  package var index: Int
  package var learningRate: Double
  /// What clipping multiplies the gradient with.
  package var gradientFactor: Float

  package init(index: Int, learningRate: Double, gradientFactor: Float = 1) {
    precondition(index >= 0, "The update of step \(index)")
    self.index = index
    self.learningRate = learningRate
    self.gradientFactor = gradientFactor
  }
}

/// What an optimizer does to a run of elements in one step: to a network's parameters, and to rows of the class weight.
///
/// Every element is computed by the same operations wherever it lies, so replicas stay equal to the last bit for any
/// number of threads.
package enum UpdateRule: Sendable {
  case sgd(SGD.Rule)
  case adamW(AdamW.Rule)

  /// Updates `count` elements: the new values, computed from `old`, go to `new` (the same memory or another). What the
  /// optimizer keeps of them begins at `offset` of each of `states`.
  package func apply(
    _ old: UnsafePointer<Float>, into new: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>,
    states: [OptimizerState], at offset: Int, count: Int
  ) {
    func state(_ index: Int) -> UnsafeMutablePointer<Float> { states[index].values.baseAddress! + offset }
    switch self {
    case .sgd(let rule): rule.apply(old, into: new, gradient: gradient, velocity: state(0), count: count)
    case .adamW(let rule):
      rule.apply(old, into: new, gradient: gradient, average: state(0), square: state(1), count: count)
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
