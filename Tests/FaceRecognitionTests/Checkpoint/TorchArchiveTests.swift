import FaceRecognition
import Foundation
import NeuralNetwork
import Testing

/// State dicts as `torch.save` writes them.
@Suite struct TorchArchiveTests {
  private let folder: TemporaryFolder
  private let whole: Data

  init() throws {
    folder = try TemporaryFolder()
    whole = try #require(Data(base64Encoded: Self.recorded.filter { !$0.isWhitespace }))
  }

  private func open(_ data: Data) throws -> SafetensorsFile {
    try SafetensorsFile(path: folder.write(data, to: "state.pt"))
  }

  /// Why the file with `bytes` in place of `former`, which is there, is refused.
  private func refusal(_ former: [UInt8], _ bytes: [UInt8]) throws -> String {
    var data = whole
    data.replaceSubrange(try #require(data.range(of: Data(former))), with: bytes)
    let error = #expect(throws: SafetensorsError.self) { try open(data) }
    return error?.reason ?? ""
  }

  private func refusal(_ former: String, _ text: String) throws -> String {
    try #require(former.utf8.count == text.utf8.count)
    return try refusal(Array(former.utf8), Array(text.utf8))
  }

  @Test func whatPyTorchSaved() throws {
    let file = try open(whole)
    #expect(file.names == ["fc.weight", "fc.bias", "part", "half", "bn.num_batches_tracked"])
    #expect(file.metadata.isEmpty)
    #expect(try file.floats(of: "fc.weight") == [1.5, -2, 3, 4, 5, 6])
    #expect(try file.shape(of: "fc.weight") == [2, 3])
    // Four of a storage's eight elements, from the third on.
    #expect(try file.floats(of: "part") == [2, 3, 4, 5] && file.shape(of: "part") == [2, 2])
    #expect(try file.type(of: "half") == .float16 && file.floats(of: "half") == [0.5, 2])
    #expect(try file.integers(of: "bn.num_batches_tracked") == [7] && file.shape(of: "bn.num_batches_tracked") == [])
    #expect(throws: SafetensorsError.self) { try file.floats(of: "fc.bias") }
    #expect(try Inspection(path: folder["state.pt"]).isWhole)
  }

  @Test func codeIsNeverRun() throws {
    let call = try refusal("torch._utils\n_rebuild_tensor_v2", "builtins\neval                  ")
    #expect(call.contains("'builtins eval") && call.contains("code is never run"), "\(call)")
    #expect(try refusal("collections\nOrderedDict", "posix      \nsystem     ").contains("code is never run"))
    #expect(try refusal("torch\nFloatStorage", "torch\nQUInt8Storag").contains("a type that is not read"))
  }

  @Test func tensorsThatCannotBe() throws {
    // Of `part`: offset 2, shape (2, 2), strides (2, 1) in storage '2'.
    #expect(
      try refusal([0x51, 0x4B, 2, 0x4B, 2, 0x4B, 2, 0x86], [0x51, 0x4B, 200, 0x4B, 2, 0x4B, 2, 0x86])
        == "4 elements from number 200 where its storage has 8")
    #expect(
      try refusal([0x71, 0x1A, 0x4B, 2, 0x4B, 1, 0x86], [0x71, 0x1A, 0x4B, 1, 0x4B, 2, 0x86]).contains("row-major"))
    #expect(
      try refusal([1, 0, 0, 0, 0x32, 0x71, 0x18], [1, 0, 0, 0, 0x39, 0x71, 0x18]) == "its storage '9' is missing")
    #expect(try refusal("X\u{4}\0\0\0part", "X\u{4}\0\0\0half").contains("two tensors are named 'half'"))
    #expect(try refusal(Array("little".utf8), Array("big...".utf8)).contains("not little-endian"))
    #expect(throws: SafetensorsError.self) { try open(Data("PK\u{3}\u{4}".utf8)) }
    let cut = #expect(throws: SafetensorsError.self) { try open(whole.dropLast(10)) }
    #expect(cut?.reason.contains("cut off") == true)
  }

  /// Accidents: some change only a tensor's bytes, which nothing here can know; none may crash.
  @Test func mutationsNeverCrash() throws {
    var generator = CounterGenerator(seed: 3, purpose: .order)
    var refused = 0
    let mutations: [FileMutation] = [.truncation, .bitFlip, .extraBytes, .zeroedPiece]
    for _ in 0..<3000 {
      let mutation = mutations[generator.below(mutations.count)]
      let changed = mutation.applied(to: whole, &generator)
      do {
        let file = try open(changed)
        for name in file.names { _ = try? file.floats(of: name) }
      } catch { refused += 1 }
    }
    #expect(refused > 500, "\(refused) of 3000 refused")
  }

  /// torch.save of an OrderedDict: fc.weight (2, 3), fc.bias F64 with a value that no Float holds, part (a view into
  /// eight numbers), half F16, bn.num_batches_tracked.
  private static let recorded = """
    UEsDBAAACAgAAAAAAAAAAAAAAAAAAAAAAAANABUAdGlueS9kYXRhLnBrbEZCEQBaWlpaWlpaWlpaWlpaWlpaWoACY2NvbGxlY3Rpb25zCk9yZGVy
    ZWREaWN0CnEAKVJxAShYCQAAAGZjLndlaWdodHECY3RvcmNoLl91dGlscwpfcmVidWlsZF90ZW5zb3JfdjIKcQMoKFgHAAAAc3RvcmFnZXEEY3Rv
    cmNoCkZsb2F0U3RvcmFnZQpxBVgBAAAAMHEGWAMAAABjcHVxB0sGdHEIUUsASwJLA4ZxCUsDSwGGcQqJaAApUnELdHEMUnENWAcAAABmYy5iaWFz
    cQ5oAygoaARjdG9yY2gKRG91YmxlU3RvcmFnZQpxD1gBAAAAMXEQaAdLAnRxEVFLAEsChXESSwGFcROJaAApUnEUdHEVUnEWWAQAAABwYXJ0cRdo
    AygoaARoBVgBAAAAMnEYaAdLCHRxGVFLAksCSwKGcRpLAksBhnEbiWgAKVJxHHRxHVJxHlgEAAAAaGFsZnEfaAMoKGgEY3RvcmNoCkhhbGZTdG9y
    YWdlCnEgWAEAAAAzcSFoB0sCdHEiUUsASwKFcSNLAYVxJIloAClScSV0cSZScSdYFgAAAGJuLm51bV9iYXRjaGVzX3RyYWNrZWRxKGgDKChoBGN0
    b3JjaApMb25nU3RvcmFnZQpxKVgBAAAANHEqaAdLAXRxK1FLACkpiWgAKVJxLHRxLVJxLnUuUEsHCEcBh/PuAQAA7gEAAFBLAwQAAAgIAAAAAAAA
    AAAAAAAAAAAAAAAAFAAQAHRpbnkvLmZvcm1hdF92ZXJzaW9uRkIMAFpaWlpaWlpaWlpaWjFQSwcIt+/cgwEAAAABAAAAUEsDBAAACAgAAAAAAAAA
    AAAAAAAAAAAAAAAXADoAdGlueS8uc3RvcmFnZV9hbGlnbm1lbnRGQjYAWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpa
    WlpaWlpaWlpaWlpaNjRQSwcIP3dx6QIAAAACAAAAUEsDBAAACAgAAAAAAAAAAAAAAAAAAAAAAAAOAEIAdGlueS9ieXRlb3JkZXJGQj4AWlpaWlpa
    WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpsaXR0bGVQSwcIhT3jGQYAAAAGAAAAUEsDBAAA
    CAgAAAAAAAAAAAAAAAAAAAAAAAALAEEAdGlueS9kYXRhLzBGQj0AWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpa
    WlpaWlpaWlpaWlpaWlpaWgAAwD8AAADAAABAQAAAgEAAAKBAAADAQFBLBwgLDftpGAAAABgAAABQSwMEAAAICAAAAAAAAAAAAAAAAAAAAAAAAAsA
    LwB0aW55L2RhdGEvMUZCKwBaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaAAAAAAAA0D+cdQCIPOQ3flBLBwgUrWc2
    EAAAABAAAABQSwMEAAAICAAAAAAAAAAAAAAAAAAAAAAAAAsANwB0aW55L2RhdGEvMkZCMwBaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpa
    WlpaWlpaWlpaWlpaWlpaWlpaWloAAAAAAACAPwAAAEAAAEBAAACAQAAAoEAAAMBAAADgQFBLBwh8QAp6IAAAACAAAABQSwMEAAAICAAAAAAAAAAA
    AAAAAAAAAAAAAAsAJwB0aW55L2RhdGEvM0ZCIwBaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWgA4AEBQSwcIpCrgfQQAAAAEAAAA
    UEsDBAAACAgAAAAAAAAAAAAAAAAAAAAAAAALAEMAdGlueS9kYXRhLzRGQj8AWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpa
    WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaBwAAAAAAAABQSwcIcNbnbwgAAAAIAAAAUEsDBAAACAgAAAAAAAAAAAAAAAAAAAAAAAAMAD4AdGlueS92
    ZXJzaW9uRkI6AFpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlozClBLBwjRnmdVAgAAAAIA
    AABQSwMEAAAICAAAAAAAAAAAAAAAAAAAAAAAABsANQB0aW55Ly5kYXRhL3NlcmlhbGl6YXRpb25faWRGQjEAWlpaWlpaWlpaWlpaWlpaWlpaWlpa
    WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWjAwNTUxOTAxODUzMjAzNTkwNzg3MTgzNDkzODU4OTc3NjkxNjgyNzFQSwcI3t3mCCgAAAAoAAAA
    UEsBAgAAAAAICAAAAAAAAEcBh/PuAQAA7gEAAA0AAAAAAAAAAAAAAAAAAAAAAHRpbnkvZGF0YS5wa2xQSwECAAAAAAgIAAAAAAAAt+/cgwEAAAAB
    AAAAFAAAAAAAAAAAAAAAAAA+AgAAdGlueS8uZm9ybWF0X3ZlcnNpb25QSwECAAAAAAgIAAAAAAAAP3dx6QIAAAACAAAAFwAAAAAAAAAAAAAAAACR
    AgAAdGlueS8uc3RvcmFnZV9hbGlnbm1lbnRQSwECAAAAAAgIAAAAAAAAhT3jGQYAAAAGAAAADgAAAAAAAAAAAAAAAAASAwAAdGlueS9ieXRlb3Jk
    ZXJQSwECAAAAAAgIAAAAAAAACw37aRgAAAAYAAAACwAAAAAAAAAAAAAAAACWAwAAdGlueS9kYXRhLzBQSwECAAAAAAgIAAAAAAAAFK1nNhAAAAAQ
    AAAACwAAAAAAAAAAAAAAAAAoBAAAdGlueS9kYXRhLzFQSwECAAAAAAgIAAAAAAAAfEAKeiAAAAAgAAAACwAAAAAAAAAAAAAAAACgBAAAdGlueS9k
    YXRhLzJQSwECAAAAAAgIAAAAAAAApCrgfQQAAAAEAAAACwAAAAAAAAAAAAAAAAAwBQAAdGlueS9kYXRhLzNQSwECAAAAAAgIAAAAAAAAcNbnbwgA
    AAAIAAAACwAAAAAAAAAAAAAAAACUBQAAdGlueS9kYXRhLzRQSwECAAAAAAgIAAAAAAAA0Z5nVQIAAAACAAAADAAAAAAAAAAAAAAAAAAYBgAAdGlu
    eS92ZXJzaW9uUEsBAgAAAAAICAAAAAAAAN7d5ggoAAAAKAAAABsAAAAAAAAAAAAAAAAAkgYAAHRpbnkvLmRhdGEvc2VyaWFsaXphdGlvbl9pZFBL
    BgYsAAAAAAAAAB4DLQAAAAAAAAAAAAsAAAAAAAAACwAAAAAAAACeAgAAAAAAADgHAAAAAAAAUEsGBwAAAADWCQAAAAAAAAEAAABQSwUGAAAAAAsA
    CwCeAgAAOAcAAAAA
    """
}
