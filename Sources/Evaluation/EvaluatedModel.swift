import Files
import Foundation
import Inference
import NeuralNetwork
import Weights

/// What is evaluated: a network, or embeddings that one has made.
struct EvaluatedModel {
  /// A network and what its file says of it.
  struct Opened {
    let file: String
    let description: ModelDescription
    let network: Network
  }

  let supply: EmbeddingSupply
  /// Nil where embeddings are stored: no image is read then.
  let opened: Opened?
  /// What ranks must agree on.
  let agreement: (name: String, value: String)

  /// - Parameters:
  ///   - path: a model file or a run's folder; nil where there are embeddings.
  ///   - embeddings: files that `cosface embed` wrote.
  /// - Throws: what is wrong with a file.
  init(
    _ path: String?, assuming assumed: AssumedModel, embeddings: [String], flip: FlipTest, batchSize: Int, workers: Int
  ) throws {
    precondition((path == nil) != embeddings.isEmpty, "Either a model or embeddings")
    if let path {
      let (file, description, network) = try ModelFile.open(path, assuming: assumed)
      opened = Opened(file: file.path, description: description, network: network)
      supply = .network(Embedder(network, batchSize: batchSize, workers: workers), flip: flip)
      agreement = ("weights of \(path)", network.weightsDigest)
    } else {
      let stored = try StoredEmbeddings(embeddings)
      opened = nil
      supply = .stored(stored)
      agreement = ("embeddings in \(embeddings.joined(separator: ", "))", stored.fingerprint)
    }
  }
}

/// What a report says of the model; nil where the embeddings came from files.
package protocol ReportOfModel {
  var model: String? { get }
  var embeddings: [String]? { get }
  var network: String? { get }
  var embeddingWidth: Int { get }
  var inputSide: Int? { get }
  var trainedSteps: Int? { get }
}

extension ReportOfModel {
  /// What made the embeddings, for people; what it is begins at `column`.
  func origin(column: Int) -> String {
    func line(_ name: String, _ text: String) -> String {
      name.padding(toLength: column, withPad: " ", startingAt: 0) + text
    }
    guard let model, let network, let inputSide, let trainedSteps else {
      let files = (embeddings ?? []).map(\.printableName).joined(separator: ", ")
      return line("files", "\(files): embedding \(embeddingWidth)")
    }
    let sizes = "embedding \(embeddingWidth), input \(inputSide), \(trainedSteps) steps"
    return line("model", "\(model.printableName): \(network), \(sizes)")
  }
}
