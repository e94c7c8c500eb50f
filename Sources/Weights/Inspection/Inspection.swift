package import Files

/// What a run, a checkpoint or a weight file holds, and whether it is whole: for `cosface inspect`.
package struct Inspection: Codable, Sendable {
  package enum Kind: String, Codable, Sendable {
    case run, checkpoint, weights
  }

  package struct Tensor: Codable, Equatable, Sendable {
    package let name: String
    package let type: String
    package let shape: [Int]
    package let bytes: Int
    package let digest: Digest
    /// False where a checkpoint says that it was another; nil where nothing says what it was.
    package let isWhole: Bool?
  }

  package struct File: Codable, Equatable, Sendable {
    package let name: String
    package let bytes: Int
    package let tensors: [Tensor]
  }

  package struct Model: Codable, Equatable, Sendable {
    package let network: String
    package let embeddingWidth: Int
    package let inputSide: Int
    package let classCount: Int
    package let step: Int

    init(_ description: ModelDescription) {
      network = description.network
      embeddingWidth = description.embeddingWidth
      inputSide = description.inputSide
      classCount = description.classNames.count
      step = description.step
    }
  }

  /// One of a run's checkpoints.
  package struct Member: Codable, Equatable, Sendable {
    package let name: String
    package let step: Int?
    package let isWhole: Bool
    package let damage: [CheckpointDamage]
  }

  package let path: String
  package let kind: Kind
  /// Every digest holds and all parts agree. A weight file alone has no digest: then only that its parts are there.
  package internal(set) var isWhole = true
  package internal(set) var damage: [CheckpointDamage] = []
  /// Of the checkpoint, or of a run's newest whole one.
  package internal(set) var program: String?
  package internal(set) var written: String?
  package internal(set) var state: CheckpointState?
  package internal(set) var model: Model?
  package internal(set) var files: [File] = []
  /// Of a run, oldest first; those that a resume set aside are listed apart and do not count as damage.
  package internal(set) var checkpoints: [Member]?
  package internal(set) var setAside: [String]?

  init(path: String, kind: Kind) {
    self.path = path
    self.kind = kind
  }
}
