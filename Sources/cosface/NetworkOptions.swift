import ArgumentParser
import NeuralNetwork
import Training

struct NetworkOptions: ParsableArguments {
  @Option(of: \.$network, help: "Network: \(NetworkKind.allCases.map(\.rawValue).joined(separator: ", ")).")
  var network: NetworkKind

  @Option(of: \.$embedding, help: "Width of the embedding.")
  var embedding: Int

  @Option(of: \.$inputSize, help: "Side of the input images in pixels; images of other sizes are resized.")
  var inputSize: Int

  @Option(of: \.$dropout, help: "Probability of dropout before the last layer of an IResNet.")
  var dropout: Double

  func validate() throws { try refuseConflicts() }
}
