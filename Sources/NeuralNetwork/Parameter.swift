/// A trained (or fixed) tensor of a layer: its value, gradient and optimizer's state, each a slice of a `ParameterStore`.
///
/// Elements lie in PyTorch's order (row-major; a convolution's weight is output, input, height, width), whatever
/// blocked layout the primitives prefer, so that files, ranks and processors of different kinds agree.
package final class Parameter {
  /// The name in arcface_torch's state dict, "layer1.0.conv1.weight".
  package let name: String
  package let shape: [Int]
  package let initializer: Initializer
  /// False: neither a gradient nor an update (arcface_torch's `features.weight`, and what `Graph.freezing` names).
  package internal(set) var isTrained: Bool

  /// Bound to memory by `ParameterStore`; empty before that. A parameter that is not trained has a value only.
  package internal(set) var value = UnsafeMutableBufferPointer<Float>(start: nil, count: 0)
  package internal(set) var gradient = UnsafeMutableBufferPointer<Float>(start: nil, count: 0)
  /// What the optimizer keeps of it; none before `ParameterStore.makeStates`.
  package internal(set) var states: [OptimizerState] = []

  package var count: Int { shape.reduce(1, *) }

  package init(_ name: String, _ shape: [Int], _ initializer: Initializer, isTrained: Bool = true) {
    precondition(shape.allSatisfy { $0 > 0 }, "Parameter \(name) of shape \(shape)")
    self.name = name
    self.shape = shape
    self.initializer = initializer
    self.isTrained = isTrained
  }
}
