import Files
import Foundation
import NeuralNetwork
import Testing
import VectorKernels
import Weights

/// Weight files of PyTorch: `torch.save`, and what people make of it.
@Suite struct TorchFileTests {
  private let folder: TemporaryFolder
  private let whole = TorchRecordings.archive

  init() throws { folder = try TemporaryFolder() }

  private func open(_ data: Data) throws -> SafetensorsFile {
    try SafetensorsFile(path: folder.write(data, to: "state.pt"))
  }

  /// The values of all tensors.
  private func values(_ file: SafetensorsFile) throws -> [[UInt8]] {
    try file.names.map { name in try file.withBytes(of: name, Array.init) }
  }

  /// The recorded archive with `bytes` in place of `former`, which is there, and the right checksums.
  private func changed(_ former: [UInt8], _ bytes: [UInt8]) throws -> Data {
    var data = whole
    data.replaceSubrange(try #require(data.range(of: Data(former))), with: bytes)
    return TorchFixture.withChecksums(data)
  }

  private func refusal(_ data: Data) throws -> String {
    let error = #expect(throws: SafetensorsError.self) { _ = try values(open(data)) }
    return error?.reason ?? ""
  }

  private func refusal(_ former: String, _ text: String) throws -> String {
    try #require(former.utf8.count == text.utf8.count)
    return try refusal(changed(Array(former.utf8), Array(text.utf8)))
  }

  @Test func whatPyTorchSaved() throws {
    let file = try open(whole)
    #expect(file.names == ["fc.weight", "fc.bias", "part", "half", "bn.num_batches_tracked"])
    #expect(file.metadata.isEmpty && file.notes.isEmpty)
    #expect(try file.floats(of: "fc.weight") == [1.5, -2, 3, 4, 5, 6])
    #expect(try file.shape(of: "fc.weight") == [2, 3])
    // Four of a storage's eight elements, from the third on.
    #expect(try file.floats(of: "part") == [2, 3, 4, 5] && file.shape(of: "part") == [2, 2])
    #expect(try file.type(of: "half") == .float16 && file.floats(of: "half") == [0.5, 2])
    #expect(try file.integers(of: "bn.num_batches_tracked") == [7] && file.shape(of: "bn.num_batches_tracked") == [])
    #expect(throws: SafetensorsError.self) { try file.floats(of: "fc.bias") }
    #expect(try Inspection(path: folder["state.pt"]).isWhole)
  }

  @Test func elementsInAnotherOrder() throws {
    // Of `part`: strides (1, 2) for (2, 1).
    let file = try open(changed([0x71, 0x1A, 0x4B, 2, 0x4B, 1, 0x86], [0x71, 0x1A, 0x4B, 1, 0x4B, 2, 0x86]))
    #expect(try file.floats(of: "part") == [2, 4, 3, 5])
    // One number for all of a row is nothing to load, but no reason to refuse the others.
    let repeated = try open(changed([0x71, 0x1A, 0x4B, 2, 0x4B, 1, 0x86], [0x71, 0x1A, 0x4B, 0, 0x4B, 1, 0x86]))
    #expect(try repeated.floats(of: "fc.weight") == [1.5, -2, 3, 4, 5, 6])
    let error = #expect(throws: SafetensorsError.self) { try repeated.floats(of: "part") }
    #expect(error?.reason.contains(".contiguous()") == true)
  }

  @Test func codeIsNeverRun() throws {
    let none = "a file of PyTorch without any tensor: give one of a state dict or of a checkpoint"
    #expect(try refusal("torch._utils\n_rebuild_tensor_v2", "builtins\neval                  ") == none)
    let sign = folder["sign"]
    let call = Array("cposix\nsystem\n(".utf8) + TorchFixture.text("touch '\(sign)'") + Array("tR".utf8)
    for old in [false, true] {
      let item = TorchFixture.Item.dictionary([("hook", .raw(call)), ("w", .floats([1], [5]))])
      let fixture = TorchFixture(item, isOld: old)
      #expect(try open(old ? fixture.old : fixture.archive()).names == ["w"])
    }
    #expect(!FileManager.default.fileExists(atPath: sign))
    let file = try open(changed(Array("torch\nHalfStorage".utf8), Array("torch\nNoneStorage".utf8)))
    let error = #expect(throws: SafetensorsError.self) { try file.floats(of: "half") }
    #expect(error?.reason == "its numbers are of a type that is not read")
  }

  /// Numbers, texts and objects of any class beside the state dict are passed over.
  @Test func checkpointBeforeVersion1_6() throws {
    let file = try open(TorchRecordings.oldCheckpoint)
    #expect(file.notes == ["PyTorch's format before 1.6, which has no checksums"])
    let target = try CheckpointMaterial()
    let report = try WeightLoader(file).load(target.network, classWeight: nil)
    #expect(report.isComplete && report.loaded.count == 5)
    #expect(report.lines.contains("'state_dict.module.' was stripped from its names"), "\(report.lines)")
    #expect(report.unexpected == ["optimizer.state.0.momentum_buffer"])
    let parameters = target.network.parameters.parameters + target.network.statistics.parameters
    let values = Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, Array($0.value)) })
    // A transpose: element (o, i) of (16, 8) is element (i, o) of the matrix.
    let transpose = (0..<128).map { element -> Float in
      let place = element % 8 * 16 + element / 8
      return Float(place) / 4 - 16
    }
    #expect(values["fc.weight"] == transpose)
    #expect(values["features.bias"] == (0..<16).map(Float.init))
    #expect(values["features.running_mean"] == (0..<16).map(Float.init))
    #expect(values["features.running_var"] == (1...16).map(Float.init))
  }

  /// Every program has its own prefix; in a checkpoint of ours and theirs, ZIP archive or not, the names are found.
  @Test(
    arguments: [
      "module.", "_orig_mod.", "backbone.", "model.", "model.backbone.module.", "net.", "student/encoder.", "net_",
    ], [nil, "state_dict", "model_state_dict", "state_dict_backbone", "network"])
  func prefixes(prefix: String, key: String?) throws {
    let source = try CheckpointMaterial()
    var members = (source.network.parameters.parameters + source.network.statistics.parameters).map {
      (prefix + $0.name, TorchFixture.Item.floats($0.shape, Array($0.value)))
    }
    if let key {
      let optimizer = TorchFixture.Item.dictionary([("exp_avg", .floats([2], [1, 2]))])
      members = [
        ("epoch", .raw(TorchFixture.number(3))), ("optimizer", optimizer), (key, .dictionary(members)),
        ("softmax_fc", .dictionary([("weight", .floats([1, 2], [1, 2]))])),
      ]
    }
    for old in [false, true] {
      let fixture = TorchFixture(.dictionary(members), isOld: old)
      let file = try open(old ? fixture.old : fixture.archive())
      let target = try CheckpointMaterial(seed: 2)
      let report = try WeightLoader(file).load(target.network, classWeight: nil)
      #expect(report.isComplete && report.unexpected == (key == nil ? [] : ["optimizer.exp_avg", "softmax_fc.weight"]))
      let stripped = (key.map { $0 + "." } ?? "") + prefix
      #expect(report.notes.last == "'\(stripped)' was stripped from its names")
      #expect(target.stores[0...1].map { Array($0.values) } == source.stores[0...1].map { Array($0.values) })
      let model = try CheckpointMaterial(seed: 3)
      #expect(try ModelFile.load(model.network, from: file) == report.notes)
      #expect(Array(model.network.parameters.values) == Array(source.network.parameters.values))
    }
  }

  @Test func wrappersBetweenNamesAndCopies() throws {
    let source = try CheckpointMaterial()
    let parameters = source.network.parameters.parameters + source.network.statistics.parameters
    func members(_ name: (String) -> String, adding: Float = 0) -> TorchFixture.Item {
      .dictionary(parameters.map { (name($0.name), .floats($0.shape, $0.value.map { $0 + adding })) })
    }
    let sharded = members { $0.replacingOccurrences(of: "fc.", with: "fc._fsdp_wrapped_module.") }
    let target = try CheckpointMaterial(seed: 2)
    _ = try WeightLoader(open(TorchFixture(sharded).archive())).load(target.network, classWeight: nil)
    #expect(Array(target.network.parameters.values) == Array(source.network.parameters.values))
    // The average of the weights stands first, and is not taken.
    let both = TorchFixture(.dictionary([("model_ema", members({ $0 }, adding: 1)), ("model", members { $0 })]))
    let report = try WeightLoader(open(both.archive())).load(target.network, classWeight: nil)
    #expect(Array(target.network.parameters.values) == Array(source.network.parameters.values))
    #expect(report.notes.last == "as many tensors under 'model_ema.' were left")
  }

  /// torch.save of a network, and TorchScript: attributes of objects.
  @Test func wholeModules() throws {
    let number = TorchFixture.Item.raw(TorchFixture.number(1))
    let layer = TorchFixture.Item.object([
      ("training", number), ("_parameters", .dictionary([("weight", .floats([2], [1, 2]))])),
      ("_buffers", .dictionary([("running_mean", .floats([2], [3, 4]))])), ("_modules", .dictionary([])),
    ])
    let network = TorchFixture.Item.object([
      ("_parameters", .dictionary([])), ("_modules", .dictionary([("bn", layer)])),
    ])
    #expect(try open(TorchFixture(network).archive()).names == ["bn.weight", "bn.running_mean"])
    let script = TorchFixture.Item.object([("bn", .object([("training", number), ("weight", .floats([2], [1, 2]))]))])
    let file = try open(TorchFixture(script, isOld: true).old)
    #expect(file.names == ["bn.weight"])
    #expect(try file.floats(of: "bn.weight") == [1, 2])
  }

  @Test func tensorsThatCannotBe() throws {
    // Of `part`: offset 2, shape (2, 2), strides (2, 1) in storage '2'.
    let far = try changed([0x51, 0x4B, 2, 0x4B, 2, 0x4B, 2, 0x86], [0x51, 0x4B, 200, 0x4B, 2, 0x4B, 2, 0x86])
    #expect(try refusal(far) == "4 elements from number 200 where its storage has 8")
    let wide = try changed([0x71, 0x1A, 0x4B, 2, 0x4B, 1, 0x86], [0x71, 0x1A, 0x4B, 9, 0x4B, 1, 0x86])
    #expect(try refusal(wide).contains("strides of [9, 1] leave its storage"))
    let lost = try changed([1, 0, 0, 0, 0x32, 0x71, 0x18], [1, 0, 0, 0, 0x39, 0x71, 0x18])
    #expect(try refusal(lost) == "its storage '9' is missing")
    #expect(try refusal("X\u{4}\0\0\0part", "X\u{4}\0\0\0half").contains("two tensors have this name"))
    #expect(try refusal("little", "big...").contains("not little-endian"))
    #expect(throws: SafetensorsError.self) { try open(Data("PK\u{3}\u{4}".utf8)) }
    #expect(try refusal(whole.dropLast(10)).contains("cut off"))
  }

  /// Nothing of a pickle can make the program's work or memory grow past the file's size.
  @Test func picklesWithoutAnEnd() throws {
    func refusal(_ operations: [UInt8]) throws -> String {
      try self.refusal(TorchFixture.zip([("a/data.pkl", [0x80, 2] + operations + Array(".".utf8))]))
    }
    // A dictionary in itself; 30 lists, each twice in the next.
    #expect(try refusal(Array("}q\0X\u{1}\0\0\0ah\0s".utf8)).contains("without any tensor"))
    var doubled = Array("]q\0".utf8)
    for level in 0..<30 as Range<UInt8> { doubled += [0x30, 0x28, 0x68, level, 0x68, level, 0x74, 0x71, level + 1] }
    #expect(try refusal(doubled).contains("dictionaries without an end"))
    let deep = [UInt8](repeating: UInt8(ascii: "]"), count: 100) + [UInt8](repeating: UInt8(ascii: "a"), count: 99)
    #expect(try refusal(deep).contains("dictionaries without an end"))
    #expect(try refusal(Array("X".utf8) + [0xFF, 0xFF, 0xFF, 0x7F]).contains("cut off"))
    #expect(try refusal(Array("(((".utf8)).contains("ends with 0 values"))
  }

  /// A flipped bit anywhere in what is read is found: the archive's directory has a checksum of each member.
  @Test func accidentsAreFound() throws {
    let former = try values(open(whole))
    var generator = CounterGenerator(seed: 3, purpose: .order)
    let mutations: [FileMutation] = [.truncation, .bitFlip, .extraBytes, .zeroedPiece]
    var refused = 0
    for _ in 0..<2000 {
      let mutation = mutations[generator.below(mutations.count)]
      do {
        let found = try values(open(mutation.applied(to: whole, &generator)))
        #expect(found == former, "\(mutation) was believed")
      } catch { refused += 1 }
    }
    #expect(refused > 500, "\(refused) of 2000 refused")
    var flipped = whole
    let place = try #require(flipped.range(of: Data([0, 0, 0xC0, 0x3F]))).lowerBound
    flipped[place] ^= 1
    #expect(try refusal(flipped).contains("the file is damaged: the checksum (CRC-32) of these bytes is another one"))
    #expect(try !Inspection(path: folder["state.pt"]).isWhole)
  }

  @Test func accidentsToTheOldFormat() throws {
    var generator = CounterGenerator(seed: 4, purpose: .order)
    for _ in 0..<1000 {
      let mutation = [FileMutation.truncation, .bitFlip, .extraBytes, .zeroedPiece][generator.below(4)]
      _ = try? values(open(mutation.applied(to: TorchRecordings.oldCheckpoint, &generator)))
    }
    #expect(try refusal(TorchRecordings.oldCheckpoint.dropLast(1)).contains("cut off"))
    #expect(try refusal(TorchRecordings.oldCheckpoint + [0]).contains("1 bytes behind its last storage"))
  }

  @Test func savedWithoutChecksums() throws {
    let fixture = TorchFixture(.dictionary([("w", .floats([2], [1, 2]))]))
    let file = try open(fixture.archive(checksums: false))
    #expect(try file.floats(of: "w") == [1, 2] && file.notes.first?.hasPrefix("saved without checksums") == true)
    // Not what zlib's would be: the order of bits, and bytes at a time.
    #expect(CRC32.checksum(UnsafeRawBufferPointer(start: nil, count: 0)) == 0)
    #expect(Array("123456789".utf8).withUnsafeBytes(CRC32.checksum) == 0xCBF4_3926)
    let long = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) }
    #expect(long.withUnsafeBytes(CRC32.checksum) == TorchFixture.checksum(long))
  }

  @Test(arguments: [
    ("\u{80}\u{2}}.", "a plain Python pickle"), ("<!DOCTYPE html>", "a web page"),
    ("version https://git-lfs.github.com/spec/v1\n", "git lfs pull"), ("{\"a\": 1}", "text (JSON)"),
    ("\u{1F}\u{8B}\u{8}\0", "gunzip"), ("\u{89}HDF\r\n\u{1A}\n", "an HDF5 file"),
    ("\u{93}NUMPY\u{1}\0", "NumPy's .npy"),
    ("\u{12}\u{1}\0\0\0\0\0\0\0\0", "MXNet's .params"), (String(repeating: "x", count: 257) + "ustar", "a tar archive"),
  ]) func filesOfOtherPrograms(text: String, what: String) throws {
    let bytes = text.unicodeScalars.map { UInt8($0.value) }
    #expect(try refusal(Data(bytes)).contains(what))
  }
}
