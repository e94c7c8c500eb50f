import Files
import Foundation
import Testing

@Suite struct DigestTests {
  /// Python: `xxhash.xxh3_128_hexdigest(bytes)`.
  @Test func equalsPythons() {
    let cases: [([UInt8], String)] = [
      ([], "99aa06d3014798d86001c324468d497f"),
      (Array("cosface".utf8), "03d70c2908e9ce239a21a57ddbfc62fd"),
      ((0..<1280).map { UInt8($0 % 256) }, "d92ab3a1cb0542a74844b009e164352e"),
    ]
    for (bytes, text) in cases {
      #expect(bytes.withUnsafeBytes { Digest(of: $0) }.description == text)
    }
  }

  @Test(arguments: [1, 3, 64, 255, 1024, 5000]) func streamInPieces(piece: Int) {
    let bytes = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    var stream = DigestStream()
    stream.update(UnsafeRawBufferPointer(start: nil, count: 0))
    bytes.withUnsafeBytes { bytes in
      for start in stride(from: 0, to: bytes.count, by: piece) {
        stream.update(UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + piece, bytes.count)]))
      }
      #expect(stream.digest == Digest(of: bytes))
    }
  }

  @Test func textBothWays() throws {
    let digest = Digest(high: 0x1, low: 0xABC)
    #expect(digest.description == "00000000000000010000000000000abc")
    #expect(Digest(digest.description) == digest)
    for text in ["", "0x", String(repeating: "G", count: 32), "+" + String(repeating: "0", count: 31)] {
      #expect(Digest(text) == nil)
    }
    let json = try JSONEncoder().encode([digest])
    #expect(try JSONDecoder().decode([Digest].self, from: json) == [digest])
    #expect(throws: DecodingError.self) { try JSONDecoder().decode([Digest].self, from: Data(#"["12"]"#.utf8)) }
  }
}
