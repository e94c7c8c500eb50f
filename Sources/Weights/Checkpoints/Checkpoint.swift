package import Files
package import NeuralNetwork

/// A checkpoint that was verified to its last byte, open for reading.
package final class Checkpoint {
  package let folder: CheckpointFolder
  package let document: CheckpointDocument
  /// Which network, of which size, for whom.
  package let description: ModelDescription
  package let model: SafetensorsFile
  package let optimizer: SafetensorsFile
  /// The class weight and its optimizer's states, in one file or in many.
  package let classRows: ClassRows

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
    classRows =
      try document.classRows.map { try ClassRows($0, examination.classRows) }
      ?? ClassRows(model: model, optimizer: optimizer, name: Self.classWeightName)
  }

  private static let classWeightName = "classWeight"

  /// Puts values, running statistics and the optimizer's states back, to the bit. `classWeight` must not be pending, and the head must
  /// be told (`valueChanged()`).
  ///
  /// - Throws: `ModelFileError` or `SafetensorsError` where the network or the optimizer is another one.
  package func restore(_ network: Network, classWeight: Parameter) throws {
    try restore(network)
    try classRows.expect(
      count: classWeight.shape[0], width: classWeight.shape[1], states: classWeight.states.map(\.name))
    try classRows.copy(0..<classRows.count, values: classWeight.value, states: classWeight.states)
  }

  /// The same without the class weight.
  package func restore(_ network: Network) throws {
    try ModelFile.load(network, from: model)
    try restoreStates(of: network.parameters)
  }

  /// Values and states of what was trained beside the network.
  package func restore(companion store: ParameterStore) throws {
    for parameter in store.parameters {
      try optimizer.copyFloats(of: parameter.name, shape: parameter.shape, into: parameter.value)
    }
    try restoreStates(of: store)
  }

  private func restoreStates(of store: ParameterStore) throws {
    for parameter in store.parameters {
      for state in parameter.states {
        let name = OptimizerState.tensorName(state.name, of: parameter.name)
        try optimizer.copyFloats(of: name, shape: parameter.shape, into: state.values)
      }
    }
  }
}
