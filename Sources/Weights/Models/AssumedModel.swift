package import NeuralNetwork

/// What a person says of a model's file; what it does not say is found in the file.
package struct AssumedModel: Codable, Equatable, Sendable {
  package var network: String?
  package var embeddingWidth: Int?
  package var inputSide: Int?

  package init(network: NetworkKind? = nil, embeddingWidth: Int? = nil, inputSide: Int? = nil) {
    (self.network, self.embeddingWidth, self.inputSide) = (network?.rawValue, embeddingWidth, inputSide)
  }

  /// - Throws: `ModelFileError` where the file is something else.
  func check(_ description: ModelDescription, of path: String) throws(ModelFileError) {
    let (own, width, side) = (description.network, description.embeddingWidth, description.inputSide)
    let wrong = [
      network.flatMap { $0 == own ? nil : "--network \($0)" },
      embeddingWidth.flatMap { $0 == width ? nil : "--embedding \($0)" },
      inputSide.flatMap { $0 == side ? nil : "--input-size \($0)" },
    ].compactMap { $0 }
    guard wrong.isEmpty else {
      throw ModelFileError(
        path: path,
        reason:
          "is of \(own), embedding \(width), input \(side), which \(wrong.joined(separator: " ")) contradicts: leave that "
          + "out")
    }
  }
}
