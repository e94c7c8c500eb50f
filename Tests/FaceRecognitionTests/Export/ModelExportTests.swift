import Files
import Foundation
import NeuralNetwork
import Testing
import Weights

/// What leaves the program is read back and computed by an interpreter that shares no code with the layers.
@Suite(.serialized) struct ModelExportTests {
  private let files: TemporaryFolder

  init() throws { files = try TemporaryFolder() }

  private static let kinds: [NetworkKind] = [.mobilefacenet, .mobilefacenetX2, .iresnet18, .spherenet20]

  @Test(arguments: kinds, [true, false]) func onnxComputesWhatTheNetworkComputes(kind: NetworkKind, folds: Bool) throws
  {
    let network = try RandomModel.write(kind, to: files["model.safetensors"])
    var export = ModelExport(model: files["model.safetensors"], format: .onnx, output: files["face.onnx"])
    export.onnx.folds = folds
    // One option with each, the other with the other.
    export.onnx.normalizes = folds
    export.onnx.embedsPreprocessing = !folds
    let lines = try export.run()
    #expect(lines.contains { $0.contains("read back and computed by its own operators") })
    let check = try OnnxCheck(of: files["face.onnx"], against: network, export.onnx)
    #expect(check.difference <= 1e-5 * check.largest && check.largest > 0)

    let normalizations = try count(of: "BatchNormalization", in: files["face.onnx"])
    switch (kind, folds) {
    case (.spherenet20, _): #expect(normalizations == 0)
    // Eight blocks' first one, and the one before the flattening: no layer stands before them that could take them.
    case (.iresnet18, true): #expect(normalizations == 9)
    case (_, true): #expect(normalizations == 0)
    case (_, false): #expect(normalizations > 20)
    }
  }

  /// Operators are named in plain text.
  private func count(of word: String, in path: String) throws -> Int {
    let letters = Array(word.utf8)
    return try Data(contentsOf: URL(fileURLWithPath: path)).withUnsafeBytes { bytes in
      (0...(bytes.count - letters.count)).count { start in
        bytes[start] == letters[0] && letters.indices.allSatisfy { bytes[start + $0] == letters[$0] }
      }
    }
  }

  @Test func anotherNetworksFileIsFound() throws {
    let network = try RandomModel.write(.mobilefacenet, to: files["model.safetensors"])
    let export = ModelExport(model: files["model.safetensors"], format: .onnx, output: files["face.onnx"])
    _ = try export.run()
    // One bias of one channel, before the last three layers.
    network.parameters.parameters.first { $0.name == "conv_sep.layers.1.bias" }!.value[5] += 0.5
    network.weightsChanged()
    let check = try OnnxCheck(of: files["face.onnx"], against: network, export.onnx)
    #expect(throws: ExportError.self) { try check.requireAgreement() }
  }

  @Test func brokenFilesAreRefused() throws {
    let network = try RandomModel.write(.spherenet20, to: files["model.safetensors"])
    let export = ModelExport(model: files["model.safetensors"], format: .onnx, output: files["face.onnx"])
    _ = try export.run()
    let whole = try Data(contentsOf: URL(fileURLWithPath: files["face.onnx"]))
    for bytes in [whole.prefix(whole.count / 2), Data("PReLU".utf8), Data()] {
      let path = try files.write(Data(bytes), to: "broken.onnx")
      #expect(throws: ExportError.self) { try OnnxCheck(of: path, against: network, export.onnx) }
    }
  }

  /// The names and shapes of the state dict and no others, values to the bit.
  @Test(arguments: [ModelExport.Format.safetensors, .pytorch]) func theStateDict(format: ModelExport.Format) throws {
    let network = try RandomModel.write(.iresnet18, to: files["model.safetensors"])
    let export = ModelExport(model: files["model.safetensors"], format: format, output: files["out"])
    #expect(try export.run().last?.contains(format == .pytorch ? "torch.load(" : "load_file(") == true)
    let file = try SafetensorsFile(path: files["out"])
    #expect(file.notes.isEmpty)
    #expect(file.names == ModelFile.entries(of: network, classWeight: nil).map(\.name))
    #expect(file.contains("layer1.0.bn1.num_batches_tracked") && !file.contains("classWeight"))
    #expect(try file.integers(of: "layer1.0.bn1.num_batches_tracked") == [7])
    for parameter in network.parameters.parameters + network.statistics.parameters {
      #expect(try file.shape(of: parameter.name) == parameter.shape)
      #expect(try file.floats(of: parameter.name) == Array(parameter.value))
    }
    // The network is found in it again, and what it computes is the same.
    let (_, description, again) = try ModelFile.open(files["out"], assuming: AssumedModel())
    #expect(description.network == NetworkKind.iresnet18.rawValue && again.name == network.name)
    #expect(zip(again.parameters.values, network.parameters.values).allSatisfy { $0 == $1 })
  }

  /// Names and shapes are those of arcface_torch's classes, which load them strictly: recorded by Tests/Recipes/names.py.
  @Test(arguments: RecordedNames.networks) func namesOfArcface(recorded: RecordedNames.Network) throws {
    let kind = try #require(NetworkKind(rawValue: recorded.name))
    let network = kind.makeNetwork(embeddingWidth: 512, inputSide: 112)
    let lines = ModelFile.entries(of: network, classWeight: nil).map { entry in
      "\(entry.name) \((entry.parameter?.shape ?? []).map(String.init).joined(separator: ","))"
    }
    let text = Array(lines.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.joined(separator: "\n").utf8)
    #expect(lines.count == recorded.count)
    #expect(text.withUnsafeBytes(CRC32.checksum) == recorded.checksum, "\(lines.joined(separator: "; "))")
  }

  @Test func checkpointsAreCheckedFirst() throws {
    let material = try CheckpointMaterial(tiny: false)
    // Random variances may be negative.
    material.network.initialize(seed: 1)
    let checkpoint = try material.write(step: 12)
    func export(_ model: String) throws -> [String] {
      try ModelExport(model: model, format: .onnx, output: files["face.onnx"]).run()
    }
    #expect(try export(checkpoint.path)[0].contains("12 steps"))
    #expect(try export(checkpoint.file("model.safetensors"))[0].contains("12 steps"))

    // A run that was stopped has checkpoints and no model yet: the newest whole one stands for it.
    #expect(try export(material.run)[0].contains("12 steps"))

    // Killed while it was written, under the name that such folders have, and under that of a whole one.
    let half = "\(material.store.path)/.step-00000024.77-1.tmp"
    try FileManager.default.copyItem(atPath: checkpoint.path, toPath: half)
    for name in ["state.json", "digests.xxh128", "optimizer.safetensors"] {
      try FileManager.default.removeItem(atPath: "\(half)/\(name)")
    }
    #expect(throws: ModelFileError.self) { try export(half) }
    #expect(throws: ModelFileError.self) { try export("\(half)/model.safetensors") }
    let named = "\(material.store.path)/step-00000024"
    try FileManager.default.moveItem(atPath: half, toPath: named)
    #expect(throws: CheckpointError.self) { try export(named) }
    #expect(throws: CheckpointError.self) { try export("\(named)/model.safetensors") }
  }

  @Test func theModelIsNotOverwritten() throws {
    try RandomModel.write(.spherenet20, to: files["model.safetensors"])
    let before = try Data(contentsOf: URL(fileURLWithPath: files["model.safetensors"]))
    #expect(throws: ExportError.self) {
      try ModelExport(model: files.path, format: .safetensors, output: files["./model.safetensors"]).run()
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: files["model.safetensors"])) == before)
  }

  @Test func weightsThatAreNotFiniteAreNamed() throws {
    let network = RandomModel.make(.spherenet20)
    network.parameters.parameters.first { $0.name == "conv2_1.weight" }!.value[3] = .nan
    try ModelFile.write(
      network, classWeight: nil, ModelDescription(network: .spherenet20, embeddingWidth: 32, inputSide: 48),
      to: files["model.safetensors"])
    let error = #expect(throws: ExportError.self) {
      try ModelExport(model: files["model.safetensors"], format: .onnx, output: files["face.onnx"]).run()
    }
    #expect(error?.reason.contains("conv2_1.weight") == true)
    #expect(!FileManager.default.fileExists(atPath: files["face.onnx"]))
  }
}
