extension ImageDecoder {
  /// PGM and PPM, as text (P2, P3) or binary (P5, P6), one or two bytes a sample.
  func decodePNM(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> DecodedImage {
    let kind = bytes[1] - UInt8(ascii: "0")
    guard [2, 3, 5, 6].contains(kind) else {
      throw Failure("P\(kind) files are not read, only P2 and P5 (PGM), P3 and P6 (PPM)")
    }
    let channels = kind == 3 || kind == 6 ? 3 : 1
    var text = PNMText(bytes, position: 2)
    let width = try text.number("width")
    let height = try text.number("height")
    let maximum = try text.number("maximum")
    try checkSize(width, height)
    guard (1...65535).contains(maximum) else { throw Failure("broken PNM: maximum \(maximum) is outside 1...65535") }
    let samples = width * height * channels
    let isText = kind < 4
    let bytesPerSample = maximum > 255 ? 2 : 1
    // One byte separates header and raster; numbers of a text have at least one digit and a space between them.
    let needed = isText ? 2 * samples : 1 + bytesPerSample * samples
    guard bytes.count - text.position >= needed else {
      throw Failure("truncated PNM: \(bytes.count - text.position) bytes after the header, \(needed) needed")
    }
    let output = try pixels(width: width, height: height)
    let repeats = 3 / channels
    for sample in 0..<samples {
      let value: Int
      if isText {
        value = try text.number("sample")
      } else {
        let start = text.position + 1 + bytesPerSample * sample
        value = bytesPerSample == 1 ? Int(bytes[start]) : Int(bytes[start]) << 8 | Int(bytes[start + 1])
      }
      guard value <= maximum else { throw Failure("broken PNM: a sample of \(value) above the maximum \(maximum)") }
      let scaled = UInt8((value * 255 + maximum / 2) / maximum)
      for copy in 0..<repeats { output[repeats * sample + copy] = scaled }
    }
    return DecodedImage(pixels: output, width: width, height: height)
  }
}

/// Decimal numbers between white space and `#` comments.
private struct PNMText {
  private let bytes: UnsafeRawBufferPointer
  /// The byte after the last number.
  private(set) var position: Int

  init(_ bytes: UnsafeRawBufferPointer, position: Int) {
    self.bytes = bytes
    self.position = position
  }

  mutating func number(_ what: String) throws(ImageDecoder.Failure) -> Int {
    skipSpace()
    var value = 0
    let start = position
    while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
      // Eight digits are more than any size or sample has, and cannot overflow.
      guard position - start < 8 else { throw .init("broken PNM: \(what) has more than 8 digits") }
      value = 10 * value + Int(bytes[position] - UInt8(ascii: "0"))
      position += 1
    }
    guard position > start else {
      throw .init(position < bytes.count ? "broken PNM: \(what) is not a number" : "truncated PNM: \(what) is missing")
    }
    return value
  }

  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 9...13, 32: position += 1
      case UInt8(ascii: "#"):
        while position < bytes.count, bytes[position] != 10, bytes[position] != 13 { position += 1 }
      default: return
      }
    }
  }
}
