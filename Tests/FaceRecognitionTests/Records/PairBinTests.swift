import Datasets
import Evaluation
import Foundation
import Testing

@Suite struct PairBinTests {
  private let folder = TestFolder()

  private func open(_ bytes: [UInt8]) throws -> PairBin {
    folder.write(bytes, "pairs.bin")
    return try PairBin(path: folder.path + "/pairs.bin")
  }

  private func reason(_ bytes: [UInt8]) -> String {
    do {
      let bin = try open(bytes)
      for sample in 0..<bin.count { _ = try bin.encodedImage(of: sample) }
      return "read"
    } catch {
      return "\(error)".replacingOccurrences(of: folder.path + "/pairs.bin", with: "BIN")
    }
  }

  private static func pickle(_ body: [UInt8], protocol number: UInt8 = 2) -> [UInt8] { [0x80, number] + body + [0x2E] }

  /// `([b"\xff\xd8\x01", bytes(range(120, 136)), b"P5 1 1 255 \x80", b"\xff\xd8\x01", bytes(300), b"\xc3\xa9"],
  /// [True, False, True])` by Python 3.11's `pickle.dumps`, protocols 2 to 5; 300 zeros stand where the text has `%`.
  private static let recorded: [(protocol: Int, head: String, zeros: Int, tail: String)] = [
    (
      2,
      "gAJdcQAoY19jb2RlY3MKZW5jb2RlCnEBWAUAAADDv8OYAXECWAYAAABsYXRpbjFxA4ZxBFJxBWgBWBgAAAB4eXp7fH1+f8KAwoHCgsKDwoTChcKG"
        + "wodxBmgDhnEHUnEIaAFYDQAAAFA1IDEgMSAyNTUgwoBxCWgDhnEKUnELaAFYBQAAAMO/w5gBcQxoA4ZxDVJxDmgBWCwBAAA=", 300,
      "cQ9oA4ZxEFJxEWgBWAQAAADDg8KpcRJoA4ZxE1JxFGVdcRUoiImIZYZxFi4="
    ),
    (
      3, "gANdcQAoQwP/2AFxAUMQeHl6e3x9fn+AgYKDhIWGh3ECQwxQNSAxIDEgMjU1IIBxA0MD/9gBcQRCLAEAAA==", 300,
      "cQVDAsOpcQZlXXEHKIiJiGWGcQgu"
    ),
    (
      4, "gASVcwEAAAAAAABdlChDA//YAZRDEHh5ent8fX5/gIGCg4SFhoeUQwxQNSAxIDEgMjU1IICUQwP/2AGUQiwBAAA=", 300,
      "lEMCw6mUZV2UKIiJiGWGlC4="
    ),
    (
      5, "gAWVcwEAAAAAAABdlChDA//YAZRDEHh5ent8fX5/gIGCg4SFhoeUQwxQNSAxIDEgMjU1IICUQwP/2AGUQiwBAAA=", 300,
      "lEMCw6mUZV2UKIiJiGWGlC4="
    ),
  ]

  private static func recorded(_ protocol: Int) throws -> [UInt8] {
    let entry = try #require(recorded.first { $0.protocol == `protocol` })
    return try [UInt8](#require(Data(base64Encoded: entry.head))) + [UInt8](repeating: 0, count: entry.zeros)
      + [UInt8](#require(Data(base64Encoded: entry.tail)))
  }

  private static let images: [[UInt8]] = [
    [0xFF, 0xD8, 1], Array(120..<136), Array("P5 1 1 255 ".utf8) + [0x80], [UInt8](repeating: 0, count: 300),
    [0xC3, 0xA9],
  ]

  @Test(arguments: 2...5) func pythonsPickles(protocol number: Int) throws {
    let bin = try open(Self.recorded(number))
    // The first image comes twice.
    #expect(bin.pairs == [FacePair(0, 1, same: true), FacePair(2, 0, same: false), FacePair(3, 4, same: true)])
    #expect(try (0..<bin.count).map(bin.encodedImage) == Self.images)
    #expect((0..<5).map(bin.identifier) == ["image 0", "image 1", "image 2", "image 4", "image 5"])
  }

  /// Python 2 writes byte strings, of up to 255 bytes (U) and more (T), and its lists may be tuples.
  @Test func python2sPickles() throws {
    let long = [UInt8](repeating: 9, count: 300)
    let body: [UInt8] =
      [0x5D, 0x71, 0, 0x28, 0x55, 2, 0xFF, 0xD8, 0x71, 1, 0x54, 44, 1, 0, 0] + long + [0x71, 2, 0x65]
    let bin = try open(Self.pickle(body + [0x5D, 0x88, 0x61, 0x86]))
    #expect(try (0..<2).map(bin.encodedImage) == [[0xFF, 0xD8], long])
    let tuples: [UInt8] = [0x55, 1, 7, 0x55, 1, 8, 0x86, 0x4B, 0, 0x85, 0x86]
    #expect(try open(Self.pickle(tuples)).pairs == [FacePair(0, 1, same: false)])
  }

  @Test(arguments: 2...5) func cutAnywhere(protocol number: Int) throws {
    let whole = try Self.recorded(number)
    for length in whole.indices {
      let reason = reason(Array(whole[..<length]))
      #expect(reason.hasPrefix("BIN: "), "\(length) bytes: \(reason)")
    }
    #expect(reason(whole) == "read")
    #expect(reason(whole + [0]).contains("but the file goes on to byte \(whole.count + 1)"))
  }

  /// What Python would run.
  @Test func codeIsNeverRun() throws {
    // os.system("true"), protocols 2 and 4.
    let system = try #require(Data(base64Encoded: "gAJjcG9zaXgKc3lzdGVtCnEAWAQAAAB0cnVlcQGFcQJScQMu"))
    #expect(reason([UInt8](system)) == "BIN: at byte 2: it asks for Python's 'posix.system', and code is never run.")
    let stack = try #require(
      Data(base64Encoded: "gASVHwAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAR0cnVllIWUUpQu"))
    #expect(reason([UInt8](stack)).contains("it asks for Python's 'posix.system', and code is never run"))
    #expect(reason(Self.pickle([0x93])).contains("it asks for Python objects (STACK_GLOBAL), and code is never run"))
    let array = try #require(Data(base64Encoded: "gAJdcQAoY251bXB5Ll9jb3JlLm11bHRpYXJyYXkKX3JlY29uc3RydWN0Cg=="))
    #expect(reason([UInt8](array)).contains("It holds numpy objects. Write it again as bytes and booleans"))
    // The same by protocol 4, whose names stand on the stack.
    let names = ["numpy._core.multiarray", "_reconstruct"].flatMap { (text) -> [UInt8] in
      [0x8C, UInt8(text.utf8.count)] + Array(text.utf8) + [0x94]
    }
    #expect(
      reason(Self.pickle(names + [0x93], protocol: 4)).contains("It holds numpy objects. Write it again as bytes"))
    for code in Array("iobPQ".utf8) + [0x81, 0x82, 0x83, 0x84, 0x92] {
      #expect(reason(Self.pickle([code])).contains("and code is never run"), "\(code)")
    }
    // encode itself, called otherwise than bytes need it.
    let encode = Array("c_codecs\nencode\n".utf8)
    let text: [UInt8] = [0x8C, 1, 0x61]
    let calls: [[UInt8]] = [
      encode + text + [0x85, 0x52], encode + text + [0x8C, 5] + Array("utf-7".utf8) + [0x86, 0x52],
      text + text + [0x86, 0x52], encode + encode + [0x86, 0x52], encode + [0x29, 0x52],
    ]
    for call in calls {
      let reason = reason(Self.pickle(call))
      #expect(reason.contains("code is never run") || reason.contains("values are missing"), "\(call): \(reason)")
    }
    #expect(reason(Self.pickle(encode)) == "BIN: it is not a pickle of (list of images, list of booleans).")
    #expect(reason(Self.pickle(Array("c_codecs\nencode".utf8))).contains("GLOBAL without two lines"))
  }

  @Test(.timeLimit(.minutes(1))) func hostilePickles() {
    // A terabyte, and lengths past what 64 bits with a sign hold.
    for length: [UInt8] in [
      [0, 0, 0, 0, 0, 1, 0, 0], [255, 255, 255, 255, 255, 255, 255, 127], [UInt8](repeating: 255, count: 8),
    ] {
      for code: UInt8 in [0x8E, 0x8D, 0x96] {
        #expect(reason(Self.pickle([code] + length)).contains("bytes where the file has 1 left"))
      }
      #expect(reason(Self.pickle([0x95] + length)).contains("a frame of"))
    }
    #expect(reason(Self.pickle([0x42, 255, 255, 255, 255])).contains("needs 4294967295 bytes"))
    // A list that holds itself, as image and as everything.
    #expect(
      reason(Self.pickle([0x5D, 0x94, 0x68, 0, 0x61]))
        == "BIN: it is not a pickle of (list of images, list of booleans).")
    #expect(
      reason(Self.pickle([0x5D, 0x94, 0x68, 0, 0x61, 0x68, 0, 0x61, 0x88, 0x85, 0x86]))
        == "BIN: image 0 is not bytes. Write it again with "
        + "pickle.dump(([bytes(b) for b in images], issame), file, protocol=4).")
    // A million lists in each other, marks without end, an empty stack, memories that are none.
    #expect(reason(Self.pickle([UInt8](repeating: 0x5D, count: 1_000_000))).contains("values left over"))
    #expect(
      reason(Self.pickle([0x5D] + [UInt8](repeating: 0x85, count: 1_000_000)))
        == "BIN: it is not a pickle of (list of images, list of booleans).")
    #expect(reason(Self.pickle([UInt8](repeating: 0x28, count: 1_000_000))).contains("values are missing"))
    #expect(
      reason(Self.pickle([UInt8](repeating: 0x4E, count: (1 << 24) + 10))).contains("more than 16777216 operations"))
    for body: [UInt8] in [
      [], [0x74], [0x65], [0x61], [0x87], [0x71, 0], [0x94], [0x68, 9], [0x6A, 1, 0, 0, 0], [0x28, 0x94],
    ] {
      #expect(reason(Self.pickle(body)).hasPrefix("BIN: at byte "), "\(body)")
    }
    #expect(reason(Self.pickle([0x4B, 1, 0x4B, 2, 0x61])).contains("appended to what is no list"))
  }

  @Test func otherPickles() {
    #expect(reason([]).hasPrefix("BIN: it is not a pickle of protocol 2 to 5. Write it again"))
    #expect(reason(Array("(lp0\n.".utf8)).hasPrefix("BIN: it is not a pickle of protocol 2 to 5"))
    #expect(reason(Self.pickle([0x4E], protocol: 6)).hasPrefix("BIN: it is not a pickle of protocol 2 to 5"))
    let two: [UInt8] = [0x43, 1, 7, 0x43, 1, 8, 0x86]
    #expect(reason(Self.pickle(two + [0x29, 0x86])).contains("2 images do not make the 0 pairs"))
    #expect(reason(Self.pickle(two + [0x88, 0x89, 0x86, 0x86])).contains("2 images do not make the 2 pairs"))
    #expect(reason(Self.pickle(two + [0x4E, 0x85, 0x86])) == "BIN: the verdict on pair 0 is neither True nor False.")
    #expect(reason(Self.pickle(two + [0x4B, 2, 0x85, 0x86])).contains("neither True nor False"))
    // A character that is no byte, in protocol 2's text.
    let text =
      Array("c_codecs\nencode\n".utf8) + [0x8C, 3, 0xE2, 0x82, 0xAC, 0x8C, 6] + Array("latin1".utf8) + [0x86, 0x52]
    #expect(
      reason(Self.pickle(text + [0x43, 1, 8, 0x86, 0x88, 0x85, 0x86]))
        == "BIN/image 0: its text holds characters that are no bytes. "
        + "Write it again with images as bytes, or as text decoded by latin1.")
  }

  /// `([b"\xff\xd8\x01".decode("latin1"), b"ab".decode("latin1")], [True])` by Python 3.11's `pickle.dumps`.
  @Test(
    arguments: [
      "gAJdcQAoWAUAAADDv8OYAXEBWAIAAABhYnECZV1xA4hhhnEELg==", "gASVGAAAAAAAAABdlCiMBcO/w5gBlIwCYWKUZV2UiGGGlC4=",
    ]) func latin1Text(pickle: String) throws
  {
    let bin = try open([UInt8](#require(Data(base64Encoded: pickle))))
    #expect(bin.pairs == [FacePair(0, 1, same: true)])
    #expect(try (0..<2).map(bin.encodedImage) == [[0xFF, 0xD8, 1], [0x61, 0x62]])
    let euro: [UInt8] = [0x8C, 3, 0xE2, 0x82, 0xAC, 0x43, 1, 8, 0x86, 0x88, 0x85, 0x86]
    #expect(reason(Self.pickle(euro)).contains("characters that are no bytes"))
  }

  /// InsightFace's: scikit-learn's `KFold(10, shuffle=False)` over 23 pairs has folds of 3, 3, 3, 2, 2 ... pairs.
  @Test func foldsAreConsecutiveTenths() throws {
    func bin(_ pairs: Int) throws -> PairBin {
      let images: [UInt8] = [0x28] + (0..<(2 * pairs)).flatMap { [0x43, 1, UInt8($0)] } + [0x6C]
      let verdicts: [UInt8] = [0x28] + (0..<pairs).map { $0 % 3 == 0 ? 0x88 : 0x89 } + [0x6C]
      return try open(Self.pickle(images + verdicts + [0x86]))
    }
    let folds = try bin(23)
    #expect(folds.foldCount == 10)
    #expect(
      folds.pairs.map(\.fold) == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9])
    #expect(try Verification(folds).folds == .prescribed(10))
    #expect(try bin(10).pairs.map(\.fold) == Array(0..<10))
    let few = try bin(9)
    #expect(few.foldCount == 0 && few.pairs.allSatisfy { $0.fold == 0 })
  }

  @Test func aDigestBesideIsKept() throws {
    let whole = try Self.recorded(4)
    #expect(try !open(whole).hasDigest)
    _ = try DatasetSeal.write(for: folder.path + "/pairs.bin")
    #expect(try open(whole).hasDigest)
    var flipped = whole
    // True becomes False.
    flipped[try #require(whole.lastIndex(of: 0x88))] = 0x89
    #expect(reason(flipped).contains("its bytes are not those whose digest is in"))
    try FileManager.default.removeItem(atPath: folder.path + "/pairs.bin.xxh128")
    #expect(try open(flipped).pairs.map(\.same) == [true, false, false])
    folder.write(Array("no digest".utf8), "pairs.bin.xxh128")
    #expect(reason(whole).contains("does not begin with a digest"))
  }
}
