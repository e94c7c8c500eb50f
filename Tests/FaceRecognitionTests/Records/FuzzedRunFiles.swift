import FaceRecognition
import Files
import Foundation
import NeuralNetwork
import Testing

/// What `DatasetFuzzTests` makes and reads of the files that are no data: weights of PyTorch, and options in YAML.
enum FuzzedRunFiles {
  static func bytes(_ format: DatasetFuzzTests.Format) throws -> [UInt8] {
    switch format {
    case .torch: [UInt8](TorchRecordings.archive)
    case .oldTorch: [UInt8](TorchRecordings.oldCheckpoint)
    case .torchCheckpoint:
      [UInt8](
        TorchFixture(
          .dictionary([
            ("epoch", .raw(TorchFixture.number(3))), ("name", .raw(TorchFixture.text("Zo\u{E9}"))),
            ("state_dict", state("module.")),
            ("optimizer", .dictionary([("state", .dictionary([("0", .floats([2], [1, 2]))]))])),
          ])
        ).archive())
    case .torchScript: [UInt8](TorchFixture(.object([("_modules", state(""))])).archive(checksums: false))
    default: Array(yaml.utf8)
    }
  }

  private static func state(_ prefix: String) -> TorchFixture.Item {
    .dictionary([
      (prefix + "fc.weight", .floats([2, 3], [1, 2, 3, 4, 5, 6])), (prefix + "fc.bias", .floats([2], [0.5, -0.5])),
      (prefix + "running_var", .floats([4], [1, 1, 2, 2])), (prefix + "empty", .floats([0], [])),
    ])
  }

  private static let yaml = """
    # Written by hand
    data: [faces, "more: faces"]
    network: mobilefacenet
    batch-size: 32
    learning-rate: 0.050
    schedule: step
    milestones:
      - 10e
      - 16e
    nesterov: true
    output: 'it''s'
    logit-scale: !!float 64
    notes: |
      two
      lines
    seed: 0x1F

    """

  /// Names, types, shapes and bytes of all tensors, and what is said of the file.
  static func weights(_ path: String) throws -> [String] {
    let file = try SafetensorsFile(path: path)
    return try file.notes
      + file.names.map { name in
        let bytes = try file.withBytes(of: name) { $0.map { String($0) }.joined(separator: " ") }
        return "\(name) \(try file.type(of: name)) \(try file.shape(of: name)) \(bytes)"
      }
  }

  /// The options as they are given to the program.
  static func options(_ path: String) throws -> [String] {
    try ConfigurationFile(path: path).entries.map { "\($0.key) \($0.isList) \($0.values)" }
  }

  /// Through the program: it ends with success or one message, and trains nothing.
  static func expectPlainEnd(_ format: DatasetFuzzTests.Format, _ folder: String) throws {
    let command =
      format == .configuration
      ? ["train", "--config", "\(folder)/run.yaml", "--data", "\(folder)/nowhere", "--output", "\(folder)/run"]
      : ["inspect", "\(folder)/state.pt"]
    let (exitCode, output) = try CosfaceProgram.run(command)
    #expect((format == .configuration ? [1, 64] : [0, 1]).contains(exitCode), "\(exitCode) \(output)")
    // `inspect` tells of damage as what it found.
    let errors = output.split(separator: "\n").count { $0.hasPrefix("Error: ") }
    #expect(errors == (format == .configuration ? 1 : 0) && !output.isEmpty, "\(output)")
    #expect(!output.contains("Fatal error"), "\(output)")
  }
}
