/// What a layer of a pass computes and moves at least, in each direction, by formula: what its time is compared with.
package struct LayerWork: Sendable {
  /// In arcface_torch's state dict; of a convolution that took the next layer into itself the names of both.
  package let name: String
  package let kind: LayerKind
  package let parameters: [String]
  /// Elements of all of them, and of those that are trained.
  package let parameterCount: Int
  package let trainedCount: Int
  package let input: Shape
  package let output: Shape
  /// Those that this pass makes.
  package private(set) var directions: [LayerDirection]

  private let batch: Int
  private let multiplications: Int
  private let takesResidual: Bool
  private let readsInput: Bool
  /// Contributions to the output's gradient that backward adds up on its way.
  private let contributions: Int
  private let sumsOverBatch: Bool
  private let isInOneCall: Bool

  init(_ layer: any Layer, _ binding: Binding) {
    let traits = layer.traits
    let folded = layer as? FoldedConvolution
    let parameters = folded?.foldedParameters ?? layer.parameters
    name = folded.map { "\($0.convolution.name) + \($0.name)" } ?? layer.name
    kind = layer.kind
    self.parameters = parameters.map(\.name)
    parameterCount = parameters.reduce(0) { $0 + $1.count }
    trainedCount = parameters.filter(\.isTrained).reduce(0) { $0 + $1.count }
    (input, output, batch) = (binding.input.shape, binding.output.shape, binding.input.batch)
    multiplications = layer.multiplications(of: binding.input.shape)
    takesResidual = binding.inputs.count > 1
    readsInput = traits.contains(.readsInput)
    contributions = max(binding.outputGradients.count, 1)
    sumsOverBatch = traits.contains(.sumsOverBatch)
    isInOneCall = traits.contains(.sumsGradientsInBackward)
    directions = [.forward]
    guard binding.backwardPieces != nil else { return }
    if isInOneCall { directions.append(.backward) }
    if !isInOneCall && binding.inputGradient != nil { directions.append(.backwardData) }
    if !isInOneCall && trainedCount > 0 { directions.append(.backwardWeights) }
  }

  /// The output is made again in backward.
  mutating func remakesOutput() { directions.insert(.forwardAgain, at: 1) }

  /// Its one reader makes the output by itself.
  mutating func hasNoForward() { directions.removeAll { $0 == .forward } }

  /// Where `Operation.observeGradient` belongs to, and where `backward` and `endBackward` do.
  var gradientSums: LayerDirection { isInOneCall ? .backward : sumsOverBatch ? .backwardWeights : .backwardData }
  var dataDirection: LayerDirection { isInOneCall ? .backward : .backwardData }
  var weightDirection: LayerDirection { isInOneCall ? .backward : .backwardWeights }

  /// Of the whole batch: twice the multiplications of the direct sums, also where Winograd's filtering makes fewer. 0
  /// for a layer that adds no products up.
  package func operations(_ direction: LayerDirection) -> Int { 2 * batch * multiplications }

  /// Of the whole batch: what it reads and writes, each once, as if all of it lay in memory.
  package func bytes(_ direction: LayerDirection) -> Int {
    let (x, y) = (batch * input.bytes, batch * output.bytes)
    let weights = parameterCount * MemoryLayout<Float>.size
    let gradients = trainedCount * MemoryLayout<Float>.size
    // Each contribution is read, and of several the sum is written.
    let dy = contributions == 1 ? y : (contributions + 1) * y
    switch direction {
    case .forward, .forwardAgain: return x + (takesResidual ? y : 0) + weights + y
    case .backwardData where multiplications > 0: return dy + weights + x
    // A batch normalization's sums have added the contributions.
    case .backwardData: return (sumsOverBatch ? y : dy) + (readsInput ? x : 0) + x
    case .backwardWeights: return x + dy + gradients
    case .backward: return dy + 2 * x + gradients
    }
  }
}
