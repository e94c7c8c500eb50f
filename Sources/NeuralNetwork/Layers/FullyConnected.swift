/// A fully connected layer, PyTorch's `Linear`: y = x W^T + b.
///
/// M = batch, D = inputs, K = outputs.   x (M, D)   W (K, D)   b (K)   y (M, K)
///
/// In evaluation a row of y depends on its row of x alone, to the bit; OpenBLAS, which is for training, adds in another
/// order by the row's place and by M.
package final class FullyConnected: Layer {
  package let name: String
  package let parameters: [Parameter]
  package var traits: LayerTraits { weight.isTrained ? [.readsInput] : [] }
  package let kind = LayerKind(.fullyConnected, "fc")

  let inputs: Int
  let outputs: Int
  var weight: Parameter { parameters[0] }
  var bias: Parameter? { parameters.count > 1 ? parameters[1] : nil }

  package init(
    _ name: String, inputs: Int, outputs: Int, bias: Initializer? = nil, initializer: Initializer
  ) {
    self.name = name
    self.inputs = inputs
    self.outputs = outputs
    let weight = Parameter("\(name).weight", [outputs, inputs], initializer)
    parameters = [weight] + (bias.map { [Parameter("\(name).bias", [outputs], $0)] } ?? [])
  }

  package func outputShape(_ given: [Shape]) -> Shape {
    precondition(
      given[0].count == inputs && given[0].layout == .plain, "\(name) over \(inputs) features given \(given[0])")
    return .features(outputs)
  }

  package func multiplications(of input: Shape) -> Int { inputs * outputs }

  package func bind(_ binding: Binding) -> any Operation { FullyConnectedOperation(self, binding) }
}

private final class FullyConnectedOperation: Operation {
  private let layer: FullyConnected
  private let binding: Binding

  init(_ layer: FullyConnected, _ binding: Binding) {
    self.layer = layer
    self.binding = binding
  }

  func forward(_ images: Range<Int>) {
    let (M, D, K) = (binding.input.batch, layer.inputs, layer.outputs)
    let (x, y, W) = (binding.input.elements, binding.output.elements, layer.weight.value.baseAddress!)
    if binding.mode == .evaluation {
      return RowProduct.multiply(M, K, D, x, W, bias: layer.bias?.value.baseAddress, into: y)
    }
    if let bias = layer.bias {
      for row in 0..<M { (y + row * K).update(from: bias.value.baseAddress!, count: K) }
    }
    gemm(.none, .transpose, M, K, D, x, W, beta: layer.bias == nil ? 0 : 1, into: y)
  }

  func backward(_ images: Range<Int>) {
    guard let dx = binding.inputGradient else { return }
    let (M, D, K) = (binding.input.batch, layer.inputs, layer.outputs)
    let dy = binding.outputGradients[0].elements
    gemm(.none, .none, M, D, K, dy, layer.weight.value.baseAddress!, beta: 0, into: dx.elements)
  }

  func endBackward() {
    let (M, D, K) = (binding.input.batch, layer.inputs, layer.outputs)
    let (x, dy) = (binding.input.elements, binding.outputGradients[0].elements)
    if layer.weight.isTrained {
      gemm(.transpose, .none, K, D, M, dy, x, beta: 1, into: layer.weight.gradient.baseAddress!)
    }
    if let bias = layer.bias, bias.isTrained {
      for row in 0..<M {
        for k in 0..<K { bias.gradient[k] += dy[row * K + k] }
      }
    }
  }
}
