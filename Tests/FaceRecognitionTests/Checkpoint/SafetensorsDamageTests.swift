import Files
import Foundation
import Testing

/// Files that somebody cut, changed or made up: each refused with the file and the reason, none a crash.
@Suite struct SafetensorsDamageTests {
  /// A file with this header and as many bytes of data.
  private func file(_ header: String, data: Int = 8, length: UInt64? = nil) -> Data {
    var bytes = withUnsafeBytes(of: (length ?? UInt64(header.utf8.count)).littleEndian) { Data($0) }
    bytes += Data(header.utf8)
    return bytes + Data(count: data)
  }

  private func open(_ data: Data, _ folder: TemporaryFolder) throws -> SafetensorsFile {
    // Writing over a file makes ext4 flush it: 2,000 times in this suite.
    try? FileManager.default.removeItem(atPath: folder["damaged"])
    return try SafetensorsFile(path: try folder.write(data, to: "damaged"))
  }

  private static func entry(_ shape: String, _ offsets: String, type: String = "F32") -> String {
    #"{"dtype":"\#(type)","shape":\#(shape),"data_offsets":\#(offsets)}"#
  }

  private static let good = entry("[2]", "[0,8]")

  @Test func theHeaderThatTheseVary() throws {
    let folder = try TemporaryFolder()
    #expect(try open(file(#"{"a":\#(Self.good)}"#), folder).names == ["a"])
    #expect(try open(file(#" { }"#.trimmingCharacters(in: .whitespaces), data: 0), folder).names == [])
    // White space where JSON allows it, escapes, and the entries in another order than the data.
    let header = #"{"\u0062\ud83d\ude00" : \#(Self.entry("[ 1 ]", "[4, 8]")),"a":\#(Self.entry("[]", "[0,4]"))}   "#
    #expect(try open(file(header), folder).names == ["b😀", "a"])
  }

  @Test(arguments: [
    (#"{"a":\#(entry("[2]", "[0,8]")),"a":\#(entry("[0]", "[8,8]"))}"#, "given twice"),
    (#"{"a":\#(entry("[1]", "[0,4]")),"b":\#(entry("[2]", "[0,8]"))}"#, "overlaps"),
    (#"{"a":\#(entry("[2]", "[0,8]")),"b":\#(entry("[1]", "[4,8]"))}"#, "overlaps"),
    (#"{"a":\#(entry("[1]", "[4,8]"))}"#, "leaves a hole"),
    (#"{"a":\#(entry("[1]", "[0,4]"))}"#, "4 bytes at the end belong to no tensor"),
    (#"{"a":\#(entry("[4]", "[0,16]"))}"#, "cut off"),
    (#"{"a":\#(entry("[3]", "[0,8]"))}"#, "needs 12 bytes"),
    (#"{"a":\#(entry("[2]", "[8,0]"))}"#, "not a first and a last byte in order"),
    (#"{"a":\#(entry("[2]", "[0,4,8]"))}"#, "not a first and a last byte in order"),
    (#"{"a":\#(entry("[-2]", "[0,8]"))}"#, "whole number, 0 or more"),
    (#"{"a":\#(entry("[2.0]", "[0,8]"))}"#, "whole number, 0 or more"),
    (#"{"a":\#(entry("[2e0]", "[0,8]"))}"#, "whole number, 0 or more"),
    (#"{"a":\#(entry("[02]", "[0,8]"))}"#, "whole number, 0 or more"),
    (#"{"a":\#(entry("[true]", "[0,8]"))}"#, "whole number, 0 or more"),
    (#"{"a":\#(entry("[4294967296,4294967296]", "[0,8]"))}"#, "fits no file"),
    (#"{"a":\#(entry("[9223372036854775808]", "[0,8]"))}"#, "too large"),
    (#"{"a":\#(entry("[99999999999999999999999]", "[0,8]"))}"#, "too large"),
    (#"{"a":\#(entry("[2]", "[0,18446744073709551615]"))}"#, "too large"),
    (#"{"a":\#(entry("[2]", "[0,8]", type: "F33"))}"#, "'F33' is unknown"),
    (#"{"a":\#(entry("[2]", "[0,8]", type: "F64"))}"#, "needs 16 bytes"),
    (#"{"a":{"dtype":"F32","shape":[2]}}"#, "is missing"),
    (#"{"a":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}}"#, "unknown or given twice"),
    (#"{"a":{"dtype":"F32","kind":[2],"data_offsets":[0,8]}}"#, "unknown or given twice"),
    (#"{"__metadata__":{"k":1}}"#, "where '\"' is needed"),
    (#"{"__metadata__":{"k":"1","k":"2"}}"#, "given twice"),
    (#"{"__metadata__":{},"__metadata__":{}}"#, "given twice"),
    (#"{"a":\#(entry("[2]", "[0,8]"))"#, "where '}' is needed"),
    (#"{"a":\#(entry("[2]", "[0,8]")),}"#, "where '\"' is needed"),
    (#"{"a":\#(entry("[2]", "[0,8]"))}x"#, "after its end"),
    (#" {"a":\#(entry("[2]", "[0,8]"))}"#, "does not start with '{'"),
    (#"{"a\ud800":\#(entry("[2]", "[0,8]"))}"#, "surrogate"),
    (#"{"a\q":\#(entry("[2]", "[0,8]"))}"#, "bad escape"),
    (#"{"a"#, "does not end"),
    ("", "does not start with '{'"),
  ])
  func badHeader(header: String, reason: String) throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: SafetensorsError.self) { try open(file(header), folder) }
    let text = error.map { "\($0)" } ?? ""
    #expect(text.contains(reason) && text.contains(folder["damaged"]), "\(text)")
  }

  @Test(arguments: [UInt64(50), 100_000_000, 100_000_001, 1 << 40, 1 << 63, .max])
  func giantLength(length: UInt64) throws {
    let folder = try TemporaryFolder()
    #expect(throws: SafetensorsError.self) { try open(file("{}", data: 0, length: length), folder) }
  }

  @Test func deepNestingIsNoRecursion() throws {
    let folder = try TemporaryFolder()
    let header = #"{"a":{"shape":"# + String(repeating: "[", count: 1_000_000)
    #expect(throws: SafetensorsError.self) { try open(file(header), folder) }
  }

  private func wholeFile(_ folder: TemporaryFolder) throws -> Data {
    var writer = SafetensorsWriter(metadata: ["step": "12"])
    writer.add("weight", shape: [2, 2], [1, 2, 3, 4] as [Float])
    writer.add("labels", shape: [3], [Int64](1...3))
    try writer.write(to: folder["whole"])
    return try Data(contentsOf: URL(fileURLWithPath: folder["whole"]))
  }

  @Test func cutAtEveryByte() throws {
    let folder = try TemporaryFolder()
    let whole = try wholeFile(folder)
    for length in 0..<whole.count {
      #expect(throws: SafetensorsError.self, "cut to \(length) bytes") { try open(whole.prefix(length), folder) }
    }
    #expect(throws: SafetensorsError.self) { try open(whole + Data([0]), folder) }
  }

  /// Digests find changed data; a changed header must at least end in an error or in readable tensors.
  @Test func everyBitOfTheHeaderFlipped() throws {
    let folder = try TemporaryFolder()
    let whole = try wholeFile(folder)
    for bit in 0..<(8 * (whole.count - 40)) {
      var changed = whole
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      do {
        let file = try open(changed, folder)
        for name in file.names {
          try file.withBytes(of: name) { #expect($0.count <= 40) }
          _ = try? file.floats(of: name)
          _ = try? file.integers(of: name)
        }
      } catch {
        #expect(error is SafetensorsError, "\(error)")
      }
    }
  }

  @Test func whatIsNoFile() throws {
    let folder = try TemporaryFolder()
    #expect(throws: FileError.self) { try SafetensorsFile(path: folder["absent"]) }
    #expect(throws: SafetensorsError.self) { try SafetensorsFile(path: folder.path) }
    #expect(throws: SafetensorsError.self) { try SafetensorsFile(path: "/dev/zero") }
    try #require(mkfifo(folder["fifo"], 0o600) == 0)
    #expect(throws: SafetensorsError.self) { try SafetensorsFile(path: folder["fifo"]) }
  }

  @Test func numbersThatDoNotFit() throws {
    let folder = try TemporaryFolder()
    var header = #"{"a":\#(Self.entry("[1]", "[0,8]", type: "U64"))}"#
    var data = file(header, data: 0) + Data(repeating: 0xFF, count: 8)
    let large = try open(data, folder)
    #expect(throws: SafetensorsError.self) { try large.integers(of: "a") }
    header = #"{"a":\#(Self.entry("[1]", "[0,8]", type: "F64"))}"#
    data = file(header, data: 0) + withUnsafeBytes(of: 1e300) { Data($0) }
    let double = try open(data, folder)
    let error = #expect(throws: SafetensorsError.self) { try double.floats(of: "a") }
    #expect(error?.offset == 8 + header.utf8.count)
  }
}
