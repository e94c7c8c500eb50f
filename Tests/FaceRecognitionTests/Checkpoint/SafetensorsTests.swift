import Files
import Foundation
import NeuralNetwork
import Testing
import Weights

@Suite struct SafetensorsTests {
  private func example() -> SafetensorsWriter {
    var writer = SafetensorsWriter(metadata: ["b": "2", "a": "\"quoted\"\n\u{1}é😀"])
    writer.add("bytes", shape: [3], [UInt8](1...3))
    writer.add("layer.weight", shape: [2, 3], [Float](arrayLiteral: 1, -2, 0.5, .infinity, -0.0, 0x1p-149))
    writer.add("step", shape: [], [Int64(1) << 40])
    writer.add("empty", shape: [0, 7], [Float]())
    writer.add("double", shape: [1], [0.1])
    writer.add("int", shape: [2], [Int32.min, 5])
    return writer
  }

  @Test func roundTrip() throws {
    let folder = try TemporaryFolder()
    try example().write(to: folder["a.safetensors"])
    let file = try SafetensorsFile(path: folder["a.safetensors"])
    #expect(file.names == ["bytes", "layer.weight", "step", "empty", "double", "int"])
    #expect(file.metadata == ["b": "2", "a": "\"quoted\"\n\u{1}é😀"])
    #expect(try file.shape(of: "layer.weight") == [2, 3])
    #expect(try file.type(of: "step") == .int64)
    #expect(
      try file.floats(of: "layer.weight").map(\.bitPattern)
        == ([1, -2, 0.5, .infinity, -0.0, 0x1p-149] as [Float]).map(\.bitPattern))
    #expect(try file.integers(of: "bytes") == [1, 2, 3])
    #expect(try file.integers(of: "step") == [1 << 40])
    #expect(try file.integers(of: "int") == [Int64(Int32.min), 5])
    #expect(try file.floats(of: "double") == [0.1])
    #expect(try file.floats(of: "empty") == [])
    #expect(try file.withBytes(of: "bytes") { Array($0) } == [1, 2, 3])
    #expect(try file.digest(of: "bytes") == [UInt8](1...3).withUnsafeBytes { Digest(of: $0) })
    #expect(folder.names == ["a.safetensors"])
  }

  @Test func sameTensorsSameBytes() throws {
    let folder = try TemporaryFolder()
    try example().write(to: folder["a"])
    try example().write(to: folder["b"])
    let files = try ["a", "b"].map { try Data(contentsOf: URL(fileURLWithPath: folder[$0])) }
    #expect(files[0] == files[1])
  }

  /// PyTorch cannot view data that is not aligned for its type.
  @Test func everyTensorIsAligned() throws {
    let folder = try TemporaryFolder()
    try example().write(to: folder["a"])
    let file = try SafetensorsFile(path: folder["a"])
    for name in file.names where name != "empty" {
      let type = try file.type(of: name)
      // The mapping starts at a page.
      try file.withBytes(of: name) { #expect(Int(bitPattern: $0.baseAddress) % type.width == 0, "\(name)") }
    }
  }

  /// The file of `safetensors.torch.save` 0.8.0 of these tensors, in base 64.
  ///
  ///     {"layer.weight": torch.arange(6.).reshape(2, 3) / 4 - 0.5, "half": torch.tensor([1.5, -2, 65504, 6e-8]).half(),
  ///      "brain": torch.tensor([1, -0.5, 3.389e38]).bfloat16(), "double": torch.tensor([[0.1], [-3]]).double() (from 0.1),
  ///      "steps": torch.tensor(1 << 40), "mask": torch.tensor([True, False, True]), "empty": torch.zeros(0, 5)}
  ///     metadata {"format": "pt", "who": "Ünï \"q\"\n"}
  @Test func readsPyTorchs() throws {
    let folder = try TemporaryFolder()
    let data = try #require(Data(base64Encoded: Self.fromPyTorch))
    let file = try SafetensorsFile(path: try folder.write(data, to: "torch"))
    #expect(file.names == ["steps", "double", "empty", "layer.weight", "brain", "half", "mask"])
    #expect(file.metadata == ["format": "pt", "who": "Ünï \"q\"\n"])
    #expect(try file.floats(of: "layer.weight") == [-0.5, -0.25, 0, 0.25, 0.5, 0.75])
    #expect(try file.floats(of: "half") == [1.5, -2, 65504, 5.9604645e-08])
    #expect(try file.floats(of: "brain") == [1, -0.5, 3.3895314e38])
    #expect(try file.floats(of: "double") == [0.1, -3])
    #expect(try file.integers(of: "steps") == [1 << 40])
    #expect(try file.shape(of: "steps") == [])
    #expect(try file.integers(of: "mask") == [1, 0, 1])
    #expect(try file.shape(of: "empty") == [0, 5])
  }

  @Test func copiesIntoGivenMemory() throws {
    let folder = try TemporaryFolder()
    try example().write(to: folder["a"])
    let file = try SafetensorsFile(path: folder["a"])
    let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: 6)
    defer { memory.deallocate() }
    try file.copyFloats(of: "layer.weight", shape: [2, 3], into: memory)
    #expect(memory[1] == -2)
    let error = #expect(throws: SafetensorsError.self) {
      try file.copyFloats(of: "layer.weight", shape: [3, 2], into: memory)
    }
    #expect(error.map { "\($0)" }?.contains("its shape is [2, 3], but [3, 2] is needed") == true)
  }

  @Test func refusesWhatIsNotThereOrAnotherType() throws {
    let folder = try TemporaryFolder()
    try example().write(to: folder["a"])
    let file = try SafetensorsFile(path: folder["a"])
    #expect(throws: SafetensorsError.self) { try file.floats(of: "absent") }
    #expect(throws: SafetensorsError.self) { try file.integers(of: "double") }
    let error = #expect(throws: SafetensorsError.self) { try file.floats(of: "step") }
    #expect(error?.tensor == "step")
    #expect(error?.reason == "its dtype is I64, but F32, F64, F16 or BF16 is needed")
  }

  @Test func failedWriteLeavesTheFormerFile() throws {
    let folder = try TemporaryFolder()
    try folder.write(to: "folder/inside")
    #expect(throws: FileError.self) { try example().write(to: folder["folder"]) }
    #expect(throws: FileError.self) { try example().write(to: folder["folder/inside/a"]) }
    #expect(folder.names == ["folder"])
  }

  private static let fromPyTorch = """
    4AEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJ3aG8iOiLDnG7DryBcInFcIlxuIiwiZm9ybWF0IjoicHQifSwic3RlcHMiOnsiZHR5cGUiOiJJNjQiLC\
    JzaGFwZSI6W10sImRhdGFfb2Zmc2V0cyI6WzAsOF19LCJkb3VibGUiOnsiZHR5cGUiOiJGNjQiLCJzaGFwZSI6WzIsMV0sImRhdGFfb2Zmc2V0cyI6\
    WzgsMjRdfSwiZW1wdHkiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzAsNV0sImRhdGFfb2Zmc2V0cyI6WzI0LDI0XX0sImxheWVyLndlaWdodCI6ey\
    JkdHlwZSI6IkYzMiIsInNoYXBlIjpbMiwzXSwiZGF0YV9vZmZzZXRzIjpbMjQsNDhdfSwiYnJhaW4iOnsiZHR5cGUiOiJCRjE2Iiwic2hhcGUiOlsz\
    XSwiZGF0YV9vZmZzZXRzIjpbNDgsNTRdfSwiaGFsZiI6eyJkdHlwZSI6IkYxNiIsInNoYXBlIjpbNF0sImRhdGFfb2Zmc2V0cyI6WzU0LDYyXX0sIm\
    1hc2siOnsiZHR5cGUiOiJCT09MIiwic2hhcGUiOlszXSwiZGF0YV9vZmZzZXRzIjpbNjIsNjVdfX0gICAAAAAAAAEAAJqZmZmZmbk/AAAAAAAACMAA\
    AAC/AACAvgAAAAAAAIA+AAAAPwAAQD+APwC/f38APgDA/3sBAAEAAQ==
    """

  /// Asked at a run's start: nothing of a model with so many names could be saved.
  @Test(arguments: [
    (400_000, String(repeating: "x", count: 255), 100_000_000, false), (100, "ann", 100_000_000, true),
    // Each byte makes 7 in the header.
    (1000, String(repeating: "\u{1}", count: 100), 650_000, false),
    (1000, String(repeating: "\u{1}", count: 100), 800_000, true),
  ])
  func namesThatNoHeaderHolds(people: Int, name: String, limit: Int, fits: Bool) throws {
    let network = NetworkKind.mobilefacenet.makeNetwork(embeddingWidth: 16, inputSide: 16)
    let description = ModelDescription(
      network: .mobilefacenet, embeddingWidth: 16, inputSide: 16,
      classNames: .init(repeating: Name(name), count: people))
    if fits { return try ModelFile.checkNames(network, description, path: "run/model.safetensors", limit: limit) }
    let error = #expect(throws: ModelFileError.self) {
      try ModelFile.checkNames(network, description, path: "run/model.safetensors", limit: limit)
    }
    let text = error.map { "\($0)" } ?? ""
    #expect(
      text.contains("run/model.safetensors cannot hold the names of") && text.contains("shorter names"), "\(text)")
  }
}
