package import NeuralNetwork

/// What a person says of a weight file that does not say it: of which network the weights are.
package struct AssumedModel: Codable, Equatable, Sendable {
  package var network: String
  /// nil where nobody said; then 512.
  package var embeddingWidth: Int?
  /// nil where nobody said; then 112.
  package var inputSide: Int?

  package init(_ network: NetworkKind, embeddingWidth: Int?, inputSide: Int?) {
    (self.network, self.embeddingWidth, self.inputSide) = (network.rawValue, embeddingWidth, inputSide)
  }

  /// nil for a network that there is not.
  var description: ModelDescription? {
    NetworkKind(rawValue: network).map {
      ModelDescription(network: $0, embeddingWidth: embeddingWidth ?? 512, inputSide: inputSide ?? 112)
    }
  }

  /// - Throws: `ModelFileError` where the file itself says something else.
  func check(_ description: ModelDescription, of path: String) throws(ModelFileError) {
    let (own, width, side) = (description.network, description.embeddingWidth, description.inputSide)
    guard network == own, embeddingWidth ?? width == width, inputSide ?? side == side else {
      let given =
        network + (embeddingWidth.map { ", embedding \($0)" } ?? "") + (inputSide.map { ", input \($0)" } ?? "")
      throw ModelFileError(path: path, reason: "is a \(own), embedding \(width), input \(side), not a \(given)")
    }
  }
}
