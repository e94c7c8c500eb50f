import NeuralNetwork
import VectorKernels
import Weights

/// A network whose every weight and running statistic is random, so that no default hides a mistake.
enum RandomModel {
  static func make(_ kind: NetworkKind, embeddingWidth: Int = 32, inputSide: Int = 48, seed: UInt64 = 1) -> Network {
    let network = kind.makeNetwork(embeddingWidth: embeddingWidth, inputSide: inputSide)
    network.initialize(seed: seed)
    var generator = CounterGenerator(seed: seed, purpose: .dropout)
    for parameter in network.parameters.parameters + network.statistics.parameters where parameter.shape.count == 1 {
      let range: (Float, Float) =
        switch parameter.name.split(separator: ".").last {
        case "running_var": (0.5, 1.5)
        case "running_mean", "bias": (-0.1, 0.1)
        // Batch normalization's weights, but for the one that stays 1, and PReLU's slopes.
        default: parameter.isTrained ? (0.3, 1.2) : (1, 1)
        }
      for i in parameter.value.indices { parameter.value[i] = generator.uniform(range.0, range.1) }
    }
    network.weightsChanged()
    return network
  }

  @discardableResult static func write(
    _ kind: NetworkKind, to path: String, embeddingWidth: Int = 32, inputSide: Int = 48, seed: UInt64 = 1
  ) throws -> Network {
    let network = make(kind, embeddingWidth: embeddingWidth, inputSide: inputSide, seed: seed)
    let description = ModelDescription(
      network: kind, embeddingWidth: embeddingWidth, inputSide: inputSide, step: 7)
    try ModelFile.write(network, classWeight: nil, description, to: path)
    return network
  }
}
