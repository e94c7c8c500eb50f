import ArgumentParser
import NeuralNetwork
import Training

struct NetworkOptions: ParsableArguments {
  @Option(help: "Network: \(NetworkKind.allCases.map(\.rawValue).joined(separator: ", ")).")
  var network = NetworkKind.mobilefacenet

  @Option(Limits.embedding, help: "Width of the embedding.")
  var embedding = 512

  @Option(Limits.inputSize, help: "Side of the input images in pixels; images of other sizes are resized.")
  var inputSize = 112

  @Option(Limits.dropout, help: "Probability of dropout before the last layer of an IResNet.")
  var dropout = 0.0

  func validate() throws {
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
