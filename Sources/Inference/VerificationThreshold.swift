import Files
import Foundation
package import NeuralNetwork
import Weights

/// From which cosine on two images are taken for the same person: `threshold.json` beside a run's model.safetensors,
/// `NAME.threshold.json` beside any other NAME.safetensors.
///
/// It is the threshold with the best balanced accuracy on the pairs that the network was evaluated on last: at the end of training with
/// validation, or by `evaluate --keep-threshold`; with `--threshold-at` that of a FAR. It belongs to these very weights.
package struct VerificationThreshold: Codable, Equatable, Sendable {
  package var threshold: Double
  /// The FAR that it was chosen for; nil where it is the one of the best accuracy.
  package var falseAcceptRate: Double?
  /// The share of the pairs of the same person that it accepts, where it was chosen for a FAR.
  package var trueAcceptRate: Double?
  /// Balanced, on those pairs, at this threshold: an optimistic figure.
  package var accuracy: Double
  package var pairs: Int
  /// What it was evaluated on, as a person named it.
  package var data: String
  /// Whether embeddings were sums of an image's and its mirror image's.
  package var flip: FlipTest
  /// `Network.weightsDigest`
  package var weights: String

  package static let fileName = "threshold.json"

  package init(
    threshold: Double, at rates: (falseAccept: Double, trueAccept: Double)? = nil, accuracy: Double, pairs: Int,
    data: String, flip: FlipTest, of network: Network
  ) {
    (self.threshold, self.accuracy, self.pairs) = (threshold, accuracy, pairs)
    (falseAcceptRate, trueAcceptRate) = (rates?.falseAccept, rates?.trueAccept)
    (self.data, self.flip) = (data, flip)
    weights = network.weightsDigest
  }

  package static func path(beside weightFile: String) -> String {
    let name = FilePath.withoutEnding(FilePath.name(of: weightFile))
    return FilePath.join(FilePath.folder(of: weightFile), name == "model" ? fileName : "\(name).\(fileName)")
  }

  /// Writes it beside the network's weight file.
  package func write(beside weightFile: String) throws {
    try AtomicFile.write(JSONText.indented(self), to: Self.path(beside: weightFile))
  }

  /// What stands beside a weight file; nil where nothing does, or what belongs to other weights.
  ///
  /// - Throws: a `ModelFileError` where it cannot be read.
  package static func read(beside weightFile: String, of network: Network) throws -> VerificationThreshold? {
    let path = path(beside: weightFile)
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    do {
      let found = try JSONDecoder().decode(VerificationThreshold.self, from: data)
      return found.weights == network.weightsDigest ? found : nil
    } catch {
      throw ModelFileError(
        path: path, reason: "is damaged: remove it, and let `cosface evaluate --keep-threshold` make it")
    }
  }
}
