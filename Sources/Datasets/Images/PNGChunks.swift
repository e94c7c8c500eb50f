import CZlib
import Files

/// What a PNG file is made of: chunks of length, type, content and checksum.
///
/// The picture stands in the critical ones. The others, metadata, never decide whether it can be read: no number or size of
/// them, no damage in them. Only what tells a picture's orientation is read, and only where its checksum is right.
struct PNGChunks {
  private static let signatureBytes = 8
  /// No text that holds an orientation is longer, packed or not.
  private static let maximumText = 1 << 20

  private let file: UnsafeRawBufferPointer
  /// Ranges of the file that hold the picture, in order; what is no whole chunk belongs to them.
  private var picture: [Range<Int>] = []
  /// Contents of chunks that may tell an orientation, of each kind the last.
  private var metadata: [(type: String, content: Range<Int>)] = []

  init(_ file: UnsafeRawBufferPointer) {
    self.file = file
    var start = 0
    var position = min(Self.signatureBytes, file.count)
    while let length = number(at: position), position + 12 + length <= file.count {
      let type = file[(position + 4)..<(position + 8)]
      guard type.allSatisfy(Self.isLetter) else { break }
      let end = position + 12 + length
      // The fifth bit of the first letter: small for what a decoder may pass over.
      if type.first! & 0x20 != 0 {
        if start < position { picture.append(start..<position) }
        start = end
        note(String(decoding: type, as: UTF8.self), (position + 8)..<(end - 4))
      }
      position = end
      if type.elementsEqual("IEND".utf8) { break }
    }
    // The rest: an end that is cut off, or what is no chunk, for the decoder to refuse.
    if start < file.count { picture.append(start..<file.count) }
  }

  /// The file without its metadata.
  func copyPicture(to buffer: ByteBuffer) -> UnsafeRawBufferPointer {
    guard picture.count > 1 || picture.first != file.indices else { return file }
    let copy = buffer.reserve(picture.reduce(0) { $0 + $1.count })
    var end = 0
    for range in picture {
      copy[end..<(end + range.count)].copyBytes(from: file[range])
      end += range.count
    }
    return UnsafeRawBufferPointer(copy)
  }

  /// From the chunk eXIf, else from the texts in which ImageMagick keeps EXIF and Adobe XMP.
  var orientation: ImageOrientation {
    guard !metadata.isEmpty else { return .upright }
    var (exif, profile, xmp): ([UInt8]?, [UInt8], [UInt8]) = (nil, [], [])
    for (type, content) in metadata where isWhole(content) {
      if type == "eXIf" {
        exif = Array(file[content])
      } else if let (keyword, text) = text(type, content) {
        if keyword == Self.profileKeyword { profile = text } else { xmp = text }
      }
    }
    return ImageOrientation(exif: exif ?? Self.bytes(ofProfile: profile), xmp: xmp)
  }

  private static let profileKeyword = "Raw profile type exif"
  private static let xmpKeyword = "XML:com.adobe.xmp"

  private mutating func note(_ type: String, _ content: Range<Int>) {
    guard content.count <= Self.maximumText else { return }
    switch type {
    case "eXIf":
      metadata.removeAll { $0.type == type }
      metadata.append((type, content))
    case "tEXt", "zTXt", "iTXt":
      for keyword in [Self.profileKeyword, Self.xmpKeyword] where file[content].starts(with: "\(keyword)\0".utf8) {
        metadata.removeAll { $0.type == type && file[$0.content].starts(with: "\(keyword)\0".utf8) }
        metadata.append((type, content))
      }
    default: return
    }
  }

  /// Whether the checksum over type and content is right. The corresponding C function is `crc32`.
  private func isWhole(_ content: Range<Int>) -> Bool {
    let start = file.baseAddress!.assumingMemoryBound(to: UInt8.self) + content.lowerBound - 4
    return number(at: content.upperBound, limit: Int(UInt32.max)) == Int(crc32(0, start, UInt32(content.count + 4)))
  }

  /// Keyword and text of a chunk.
  private func text(_ type: String, _ content: Range<Int>) -> (keyword: String, text: [UInt8])? {
    let fields = file[content].split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    guard fields.count == 2 else { return nil }
    let keyword = String(decoding: fields[0], as: UTF8.self)
    var text = fields[1]
    var isPacked = type == "zTXt"
    if type == "iTXt" {
      // Whether it is packed, how, the language and the keyword in it.
      guard text.count >= 2 else { return nil }
      isPacked = text.removeFirst() != 0
      let rest = text.dropFirst().split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
      guard rest.count == 3, !isPacked || text.first == 0 else { return nil }
      text = rest[2]
    } else if isPacked {
      guard text.popFirst() == 0 else { return nil }
    }
    guard isPacked else { return (keyword, Array(text)) }
    return Self.unpack(Array(text)).map { (keyword, $0) }
  }

  /// The corresponding C function is `uncompress`.
  private static func unpack(_ packed: [UInt8]) -> [UInt8]? {
    var count = uLongf(maximumText)
    let text = [UInt8](unsafeUninitializedCapacity: maximumText) { text, written in
      let code = uncompress(text.baseAddress, &count, packed, uLong(packed.count))
      written = code == Z_OK ? Int(count) : 0
    }
    return text.isEmpty ? nil : text
  }

  /// The bytes of a profile written in hexadecimal digits, from the fourth line on.
  private static func bytes(ofProfile text: [UInt8]) -> [UInt8] {
    let lines = text.split(separator: 10, maxSplits: 3, omittingEmptySubsequences: false)
    guard lines.count == 4 else { return [] }
    let digits = lines[3].compactMap { Character(UnicodeScalar($0)).hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(16 * digits[$0] + digits[$0 + 1]) }
  }

  /// Four bytes, the first the highest. PNG's lengths end at 2^31 - 1.
  private func number(at offset: Int, limit: Int = Int(Int32.max)) -> Int? {
    guard offset <= file.count - 4 else { return nil }
    let value = file[offset..<(offset + 4)].reduce(0) { $0 << 8 | Int($1) }
    return value <= limit ? value : nil
  }

  private static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte & ~0x20) }
}
