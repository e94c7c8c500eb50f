package import Files
import Foundation
package import NeuralNetwork

/// A trained model in one safetensors file: the backbone under arcface_torch's names (running statistics and
/// `num_batches_tracked` too, so that PyTorch loads it strictly), and where wanted the class weight.
package enum ModelFile {
  /// Key of the metadata under which the description stands as JSON.
  package static let descriptionKey = "cosface"

  /// An entry of the state dict: a parameter or a running statistic; without one, `num_batches_tracked` of a layer.
  package struct Entry {
    package let name: String
    package let parameter: Parameter?
  }

  /// What a model file holds, in its order: the state dict's, then the class weight.
  package static func entries(of network: Network, classWeight: Parameter?) -> [Entry] {
    let backbone = network.layers.flatMap { layer in
      (layer.parameters + layer.statistics).map { Entry(name: $0.name, parameter: $0) }
        + (layer.statistics.isEmpty ? [] : [Entry(name: "\(layer.name).num_batches_tracked", parameter: nil)])
    }
    return backbone + (classWeight.map { [Entry(name: $0.name, parameter: $0)] } ?? [])
  }

  /// Row-major tensors in the order of the state dict. `classWeight` must have been materialized.
  ///
  /// Throws `FileError`.
  package static func write(
    _ network: Network, classWeight: Parameter?, _ description: ModelDescription, to path: String
  ) throws {
    let entries = entries(of: network, classWeight: classWeight)
    try writer(entries, description) { UnsafeBufferPointer($0.value) }.write(to: path)
  }

  /// The class weight (N, K) that exists nowhere whole: its rows come piece by piece.
  package struct StreamedClassWeight {
    package let count: Int
    package let width: Int
    package let stream: SafetensorsWriter.Stream

    package init(count: Int, width: Int, stream: @escaping SafetensorsWriter.Stream) {
      self.count = count
      self.width = width
      self.stream = stream
    }
  }

  /// The same file from a class weight that is streamed.
  ///
  /// Throws `FileError`, or what the stream throws.
  package static func write(
    _ network: Network, classWeight: StreamedClassWeight, _ description: ModelDescription, to path: String
  ) throws {
    var writer = try writer(entries(of: network, classWeight: nil), description) { UnsafeBufferPointer($0.value) }
    writer.add("classWeight", Float.self, shape: [classWeight.count, classWeight.width], stream: classWeight.stream)
    try writer.write(to: path)
  }

  /// Refuses people whose names fill more than a file can hold: at the start, and not at the first checkpoint.
  ///
  /// - Throws: `ModelFileError`
  package static func checkNames(_ network: Network, _ description: ModelDescription, path: String, limit: Int? = nil)
    throws
  {
    let bytes = description.classNames.reduce(0) { $0 + $1.text.utf8.count }
    let limit = limit ?? SafetensorsHeader.maximumLength
    // Marks and escapes make 8 bytes of one at most, and tensors' names take less than a megabyte.
    if 8 * bytes + 4 * description.classNames.count + 1 << 20 < limit { return }
    do {
      // More in plain bytes than there is room need not be written out to be seen.
      guard bytes < limit else { throw SafetensorsError(path: path, reason: "") }
      try writer(entries(of: network, classWeight: nil), description) { UnsafeBufferPointer($0.value) }.check(
        path: path, limit: limit)
    } catch is SafetensorsError {
      throw ModelFileError(
        path: path,
        reason:
          "cannot hold the names of \(description.classNames.count.grouped) people, \(bytes.grouped) bytes: all in all "
          + "\(limit.grouped) are possible in a safetensors file. Give the people shorter names, such as numbers")
    }
  }

  /// The file of `entries`, whose values lie where `values` says: in the network, or in a copy of it.
  static func writer(
    _ entries: [Entry], _ description: ModelDescription, values: (Parameter) -> UnsafeBufferPointer<Float>
  ) throws -> SafetensorsWriter {
    var writer = SafetensorsWriter(metadata: [descriptionKey: try text(of: description), "format": "pt"])
    for entry in entries {
      if let parameter = entry.parameter {
        writer.add(entry.name, shape: parameter.shape, values(parameter))
      } else {
        writer.add(entry.name, shape: [], [Int64(description.step)])
      }
    }
    return writer
  }

  /// The state dict of `network` as `torch.save` writes it, which has no place for a description.
  static func torchWriter(_ network: Network, _ description: ModelDescription) -> TorchWriter {
    var writer = TorchWriter()
    for entry in entries(of: network, classWeight: nil) {
      if let parameter = entry.parameter {
        writer.add(entry.name, shape: parameter.shape, UnsafeBufferPointer(parameter.value))
      } else {
        writer.add(entry.name, Int64(description.step))
      }
    }
    return writer
  }

  /// The description as it stands in a file's metadata.
  static func text(of description: ModelDescription) throws -> String {
    String(decoding: try JSONText.line(description), as: UTF8.self)
  }

  /// What the file says of itself; where it says nothing, as those of other programs, what its tensors' names and shapes tell.
  ///
  /// - Parameter assumed: what a person says; where the file says something else, that is refused.
  package static func description(
    of file: SafetensorsFile, assuming assumed: AssumedModel = AssumedModel()
  ) throws -> ModelDescription {
    let description = try descriptionWritten(in: file) ?? ModelDescription(ofTensorsIn: file, assuming: assumed)
    try assumed.check(description, of: file.path)
    return description
  }

  private static func descriptionWritten(in file: SafetensorsFile) throws -> ModelDescription? {
    guard let json = file.metadata[descriptionKey] else { return nil }
    do {
      return try JSONDecoder().decode(ModelDescription.self, from: Data(json.utf8))
    } catch {
      throw ModelFileError(path: file.path, reason: "has a damaged description: \(json.prefix(200))")
    }
  }

  /// Fills `network` from the file; every parameter and running statistic must be there in its shape, under the network's
  /// names or behind a prefix.
  ///
  /// Returns what a person should know: how the file is made, and which of its names were taken.
  @discardableResult package static func load(_ network: Network, from file: SafetensorsFile) throws -> [String] {
    let parameters = network.parameters.parameters + network.statistics.parameters
    let names = try TensorNames(file, of: parameters)
    let missing = parameters.map(\.name).filter { !file.contains(names[$0]) }
    guard missing.isEmpty else {
      throw ModelFileError(
        path: file.path,
        reason:
          "lacks \(missing.count) tensors of \(network.name): \(WeightReport.list(missing.sorted())). "
          + "It holds \(WeightReport.list(file.names))")
    }
    for parameter in parameters {
      try file.copyFloats(of: names[parameter.name], shape: parameter.shape, into: parameter.value)
      Heartbeat.beat()
    }
    network.weightsChanged()
    return names.notes
  }
}
