import Files
package import NeuralNetwork

/// A copy of everything that a checkpoint's model and optimizer files hold.
///
/// Training stops only for `capture()`. What reads the copy (the thread that writes it) must have ended before the next
/// one.
package final class CheckpointSnapshot: @unchecked Sendable {
  private let entries: [ModelFile.Entry]
  /// Values of the parameters in `entries`; then the companions' values, and all of the optimizer's states.
  private let copy: TensorCopy
  private let valueCount: Int
  private let network: Network

  /// All that `network` and its head hold now and later: their memory must stay where it is.
  ///
  /// - Parameters:
  ///   - classWeight: nil where its rows are in files of their own.
  ///   - companions: what is trained besides, and belongs to no model: it stands in the optimizer's file.
  package init(_ network: Network, classWeight: Parameter?, companions: [Parameter] = []) {
    self.network = network
    entries = ModelFile.entries(of: network, classWeight: classWeight)
    let parameters = entries.compactMap(\.parameter)
    valueCount = parameters.count
    let values = (parameters + companions).map { TensorCopy.Source(name: $0.name, shape: $0.shape, values: $0.value) }
    let states = (parameters + companions).flatMap { parameter in
      parameter.states.map {
        TensorCopy.Source(
          name: OptimizerState.tensorName($0.name, of: parameter.name), shape: parameter.shape, values: $0.values)
      }
    }
    copy = TensorCopy(values + states)
  }

  package var bytes: Int { copy.bytes }

  /// Copies all values as they are now, by all threads of the pool. The class weight must have been materialized.
  package func capture() { copy.capture() }

  /// The model file of the copy; the same bytes as `ModelFile.write` of the network at the capture.
  func modelWriter(_ description: ModelDescription) throws -> SafetensorsWriter {
    // Entries without a parameter have no copy; the others are in the same order.
    let names = copy.sources[..<valueCount].map(\.name)
    let values = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, copy.values($0)) })
    return try ModelFile.writer(entries, description) { values[$0.name]! }
  }

  func optimizerWriter() -> SafetensorsWriter {
    var writer = SafetensorsWriter(metadata: ["format": "pt"])
    for (index, source) in copy.sources.enumerated().dropFirst(valueCount) {
      writer.add(source.name, shape: source.shape, copy.values(index))
    }
    return writer
  }
}
