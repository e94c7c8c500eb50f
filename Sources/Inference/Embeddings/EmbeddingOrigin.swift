package import Files
package import NeuralNetwork

/// How the rows of a file of embeddings were made, as its metadata say.
package struct EmbeddingOrigin: Equatable, Sendable {
  /// What stands for an image: its embedding, or what was made of both.
  package let flip: FlipTest
  /// Whether rows have length 1.
  package let isNormalized: Bool
  /// `Network.weightsDigest`; nil in files of former versions.
  package let weights: String?

  private static let flipKey = "flip"
  private static let normalizeKey = "normalize"
  private static let weightsKey = "weights"

  package init(flip: FlipTest, isNormalized: Bool, weights: String?) {
    (self.flip, self.isNormalized, self.weights) = (flip, isNormalized, weights)
  }

  /// - Throws: `DataError` where the file does not say how its rows were made.
  init(of file: SafetensorsFile) throws(DataError) {
    guard let text = file.metadata[Self.flipKey] else {
      throw EmbeddingFile.failure(
        file.path, "it does not say what its rows were made of, as files of former versions do not")
    }
    guard let flip = FlipTest(rawValue: text) else {
      throw EmbeddingFile.failure(
        file.path, "its rows were made by the flip test '\(text.printableName.prefix(80))', which is unknown")
    }
    self.flip = flip
    isNormalized = file.metadata[Self.normalizeKey] == "true"
    weights = file.metadata[Self.weightsKey]
  }

  var metadata: [String: String] {
    var metadata = [Self.flipKey: flip.rawValue, Self.normalizeKey: "\(isNormalized)"]
    metadata[Self.weightsKey] = weights
    return metadata
  }
}

extension EmbeddingFile {
  /// Refuses rows that say nothing about those that `network` gives with `flip`.
  ///
  /// - Parameter model: as a person named the network.
  /// - Returns: what is worth knowing, in sentences without a full stop.
  /// - Throws: `DataError`
  package func check(madeBy network: Network, _ model: String, flip: FlipTest) throws(DataError) -> [String] {
    let embed =
      "'cosface embed --model \(model.printableName) --data IMAGES --output \(path.printableName)"
      + (flip == .sum ? "'" : " --flip \(flip.rawValue)'")
    guard origin.flip == flip else {
      throw DataError(
        path, "its rows were made with --flip \(origin.flip.rawValue), and this is --flip \(flip.rawValue)",
        remedy: "Give --flip \(origin.flip.rawValue), or embed the images again: \(embed).")
    }
    let needed = flip.width(network.embeddingWidth)
    guard rowWidth == needed else {
      throw DataError(
        path, "its rows have \(rowWidth) values, those of \(model.printableName) \(needed)",
        remedy: "Give the model that made them, or embed the images again: \(embed).")
    }
    guard let weights = origin.weights else {
      return [
        "\(path.printableName) does not say which model made it, as files of former versions do not: it is taken "
          + "for one of \(model.printableName)"
      ]
    }
    guard weights == network.weightsDigest else {
      throw DataError(
        path, "its rows were made by other weights than those of \(model.printableName)",
        remedy: "Give the model that made them, or embed the images again: \(embed).")
    }
    return []
  }
}
