import ArgumentParser
import NeuralNetwork
import Training
import Weights

/// What a weight file of another program does not say about itself.
struct StateDictOptions: ParsableArguments {
  @Option(
    help: """
      For weights of another program, such as a state dict of PyTorch in a .safetensors file: the network that they are of \
      (\(NetworkKind.allCases.map(\.rawValue).joined(separator: ", "))).
      """)
  var network: NetworkKind?

  @Option(Limits.embedding, help: "With --network: width of its embedding (512 unless given).")
  var embedding: Int?

  @Option(Limits.inputSize, help: "With --network: side of its input images in pixels (112 unless given).")
  var inputSize: Int?

  func validate() throws {
    guard network != nil || (embedding ?? inputSize) == nil else {
      throw ValidationError("--embedding and --input-size go with --network.")
    }
  }

  /// nil where nothing was given.
  var assumed: AssumedModel? { network.map { AssumedModel($0, embeddingWidth: embedding, inputSide: inputSize) } }
}
