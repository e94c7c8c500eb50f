/// EXIF's main directory: a TIFF structure, with `Exif` and two zeros once or twice before it, or without.
struct EXIF {
  enum Value: Equatable {
    case value(Int)
    /// The tag is there, but its value is no whole number.
    case unreadable
    case absent
  }

  private var bytes: [UInt8]
  private let isLittle: Bool

  static let mark = Array("Exif\0\0".utf8)

  init(_ bytes: some Collection<UInt8>) {
    var tiff = Array(bytes)
    for _ in 0..<2 where tiff.starts(with: Self.mark) { tiff.removeFirst(Self.mark.count) }
    isLittle = tiff.starts(with: "II".utf8)
    self.bytes = isLittle || tiff.starts(with: "MM".utf8) ? tiff : []
  }

  /// The first readable entry of tag 0x0112, wherever it stands, of any type that holds numbers. Of several values the
  /// first counts. Entries without a value, of an unknown type, or with a value outside the structure are passed over.
  var orientation: Value {
    guard let directory = number(at: 4, bytes: 4), let count = number(at: directory, bytes: 2) else { return .absent }
    for entry in 0..<count {
      let offset = directory + 2 + 12 * entry
      // The directory is cut off: what was read holds.
      guard offset + 12 <= bytes.count, let tag = number(at: offset, bytes: 2) else { return .absent }
      guard tag == 0x0112, let kind = Kind(rawValue: number(at: offset + 2, bytes: 2)!) else { continue }
      let count = number(at: offset + 4, bytes: 4)!
      let size = count * kind.bytes
      let place = size > 4 ? number(at: offset + 8, bytes: 4)! : offset + 8
      guard size > 0, place <= bytes.count - size else { continue }
      return value(at: place, kind).map(Value.value) ?? .unreadable
    }
    return .absent
  }

  /// TIFF's types of values.
  private enum Kind: Int {
    case byte = 1
    case text, short, long, ratio, signedByte, undefined, signedShort, signedLong, signedRatio, float, double, directory
    case longer = 16

    var bytes: Int {
      switch self {
      case .byte, .text, .signedByte, .undefined: 1
      case .short, .signedShort: 2
      case .long, .signedLong, .float, .directory: 4
      case .ratio, .signedRatio, .double, .longer: 8
      }
    }
  }

  /// The whole number at a place.
  private func value(at place: Int, _ kind: Kind) -> Int? {
    guard let bits = number(at: place, bytes: min(kind.bytes, 4)) else { return nil }
    switch kind {
    // A byte is one of text, or of anything.
    case .byte, .text, .undefined: return nil
    // All below 9 are positive: what a sign would change is no orientation.
    case .short, .long, .signedByte, .signedShort, .signedLong, .directory: return bits
    case .longer: return number(at: place, bytes: 8)
    case .ratio, .signedRatio:
      guard let divisor = number(at: place + 4, bytes: 4), divisor > 0, bits % divisor == 0 else { return nil }
      return bits / divisor
    case .float: return Int(exactly: Float(bitPattern: UInt32(bits)))
    case .double: return number(at: place, bytes: 8).flatMap { Int(exactly: Double(bitPattern: UInt64($0))) }
    }
  }

  /// Nil where it ends beyond the structure, or is above 2^63.
  private func number(at offset: Int, bytes size: Int) -> Int? {
    guard offset >= 0, offset <= bytes.count - size else { return nil }
    let digits = bytes[offset..<(offset + size)]
    let value = (isLittle ? Array(digits.reversed()) : Array(digits)).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Int(exactly: value)
  }
}
