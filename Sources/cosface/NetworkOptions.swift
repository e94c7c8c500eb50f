import ArgumentParser
import FaceRecognition
import NeuralNetwork

struct NetworkOptions: ParsableArguments {
  @Option(help: "Network: \(NetworkKind.allCases.map(\.rawValue).joined(separator: ", ")).")
  var network = NetworkKind.mobilefacenet

  @Option(help: "Width of the embedding, a multiple of 16.")
  var embedding = 512

  @Option(help: "Side of the input images in pixels, a multiple of 16; images of other sizes are resized.")
  var inputSize = 112

  @Option(help: "Probability of dropout before the last layer of an IResNet.")
  var dropout = 0.0

  func validate() throws {
    try Validation.multipleOf16("--embedding", embedding)
    try Validation.multipleOf16("--input-size", inputSize)
    guard (0..<1).contains(dropout) else { throw ValidationError("--dropout \(dropout) must be in [0, 1).") }
    guard dropout == 0 || network.takesDropout else {
      throw ValidationError("--dropout: \(network.rawValue) has no dropout; only the IResNets have.")
    }
  }

  func fill(_ options: inout TrainingOptions) {
    options.network = network.rawValue
    options.embedding = embedding
    options.inputSize = inputSize
    options.dropout = dropout
  }
}
