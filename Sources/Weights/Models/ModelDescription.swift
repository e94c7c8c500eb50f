package import Files
package import NeuralNetwork

/// What must be known to rebuild a network around its weights: the metadata of every weight file that we write.
package struct ModelDescription: Codable, Equatable, Sendable {
  package var network: String
  package var embeddingWidth: Int
  package var inputSide: Int
  /// Names of the people, in the order of the class weight's rows; empty where a file has no class weight.
  package var classNames: [Name]
  /// Steps trained so far.
  package var step: Int

  package init(network: NetworkKind, embeddingWidth: Int, inputSide: Int, classNames: [Name] = [], step: Int = 0) {
    self.network = network.rawValue
    self.embeddingWidth = embeddingWidth
    self.inputSide = inputSide
    self.classNames = classNames
    self.step = step
  }

  /// The network with memory for its weights, all zero; checks what came from a file first.
  package func makeNetwork(path: String) throws -> Network {
    guard let kind = NetworkKind(rawValue: network) else {
      let known = NetworkKind.allCases.map(\.rawValue).joined(separator: ", ")
      throw ModelFileError(path: path, reason: "names the network '\(network)'; this program knows \(known)")
    }
    let sides = [("embedding width", embeddingWidth), ("input side", inputSide)]
    for (what, value) in sides where !Self.isPossible(value) {
      throw ModelFileError(path: path, reason: "has an \(what) of \(value), which is no multiple of 16 up to 4096")
    }
    return kind.makeNetwork(embeddingWidth: embeddingWidth, inputSide: inputSide)
  }

  private static func isPossible(_ size: Int) -> Bool { size > 0 && size % 16 == 0 && size <= 4096 }

  /// Whether `makeNetwork` takes them.
  var hasPossibleSizes: Bool { Self.isPossible(embeddingWidth) && Self.isPossible(inputSide) }
}

/// A weight file that does not describe a model.
package struct ModelFileError: Error, Equatable, CustomStringConvertible {
  package let path: String
  package let reason: String

  package init(path: String, reason: String) {
    self.path = path
    self.reason = reason
  }

  package var description: String { "\(path.printableName) \(reason)." }
}

extension Network {
  /// Of all weights and running statistics: equal for networks that compute the same.
  package var weightsDigest: String {
    [parameters, statistics].map { "\(Digest(of: UnsafeRawBufferPointer($0.values)))" }.joined()
  }
}
