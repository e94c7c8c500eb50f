import ArgumentParser
import NeuralNetwork
import Training
import Weights

/// The model that a command takes, one way for all, and what a person may say of it.
struct ModelOptions: ParsableArguments {
  @Option(help: ModelKindOptions.modelHelp)
  var model: String

  @OptionGroup var kind: ModelKindOptions

  var assumed: AssumedModel { kind.assumed }
}

/// What a person may say of a model.
struct ModelKindOptions: ParsableArguments {
  static let modelHelp: ArgumentHelp = """
    Model: a run's folder, one of its checkpoints/step-…, or a file: .safetensors, PyTorch's .pt or .pth, .onnx. Which \
    network it is of, and its sizes, are found in it.
    """

  @Option(
    help: """
      The network of the model, where its file holds several, or to make sure \
      (\(NetworkKind.allCases.map(\.rawValue).joined(separator: ", "))).
      """)
  var network: NetworkKind?

  @Option(Limits.embedding, help: "Width of the model's embedding, to make sure.")
  var embedding: Int?

  @Option(Limits.inputSize, help: "Side of the model's input images in pixels, to make sure.")
  var inputSize: Int?

  /// The options and whether they were given, for commands that also work without a model.
  var given: [(String, Bool)] {
    [("--network", network != nil), ("--embedding", embedding != nil), ("--input-size", inputSize != nil)]
  }

  var assumed: AssumedModel {
    AssumedModel(network: network, embeddingWidth: embedding, inputSide: inputSize)
  }
}
