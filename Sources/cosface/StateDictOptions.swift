import ArgumentParser
import FaceRecognition
import NeuralNetwork

/// What a weight file of another program does not say about itself.
struct StateDictOptions: ParsableArguments {
  @Option(
    help: """
      For weights of another program, such as a state dict of PyTorch in a .safetensors file: the network that they are of \
      (\(NetworkKind.allCases.map(\.rawValue).joined(separator: ", "))).
      """)
  var network: NetworkKind?

  @Option(help: "With --network: width of its embedding (512 unless given).")
  var embedding: Int?

  @Option(help: "With --network: side of its input images in pixels (112 unless given).")
  var inputSize: Int?

  func validate() throws {
    guard network != nil || (embedding ?? inputSize) == nil else {
      throw ValidationError("--embedding and --input-size go with --network.")
    }
    if let embedding { try Validation.multipleOf16("--embedding", embedding) }
    if let inputSize { try Validation.multipleOf16("--input-size", inputSize) }
  }

  /// nil where nothing was given.
  var description: ModelDescription? {
    network.map { ModelDescription(network: $0, embeddingWidth: embedding ?? 512, inputSide: inputSize ?? 112) }
  }
}
