package import NeuralNetwork

/// A checkpoint that was verified to its last byte, open for reading.
package final class Checkpoint {
  package let folder: CheckpointFolder
  package let document: CheckpointDocument
  /// Which network, of which size, for whom.
  package let description: ModelDescription
  package let model: SafetensorsFile
  package let optimizer: SafetensorsFile

  package var state: CheckpointState { document.state }

  /// Opens a checkpoint's folder and checks all of it.
  ///
  /// - Throws: `CheckpointError.damaged` with everything that is wrong, `.newerFormat`, or a `FileError`.
  package convenience init(path: String) throws {
    try self.init(CheckpointExamination(CheckpointFolder(path: path)))
  }

  /// - Throws: `CheckpointError.damaged`
  package init(_ examination: CheckpointExamination) throws {
    guard examination.isWhole, let document = examination.document, let description = examination.description,
      let model = examination.model, let optimizer = examination.optimizer
    else { throw CheckpointError.damaged(examination.folder.path, examination.damage) }
    folder = examination.folder
    self.document = document
    self.description = description
    self.model = model
    self.optimizer = optimizer
  }

  /// Puts values, running statistics and momenta back, to the bit. `classWeight` must not be pending, and the head must
  /// be told (`valueChanged()`).
  ///
  /// - Throws: `ModelFileError` or `SafetensorsError` where the network is another one.
  package func restore(_ network: Network, classWeight: Parameter) throws {
    try ModelFile.load(network, from: model)
    try model.copyFloats(of: classWeight.name, shape: classWeight.shape, into: classWeight.value)
    for parameter in network.parameters.parameters + [classWeight] where parameter.isTrained {
      let name = CheckpointSnapshot.momentumPrefix + parameter.name
      try optimizer.copyFloats(of: name, shape: parameter.shape, into: parameter.momentum)
    }
  }
}
