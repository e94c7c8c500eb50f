import CJPEG

extension ImageDecoder {
  /// The corresponding C functions are `jpeg_read_header` and `jpeg_read_scanlines`; `CJPEG` says which of libjpeg's
  /// warnings are damage.
  ///
  /// Each image gets a decoder of its own (0.7 us of some 150): a used one keeps the last image's tables, so that a file
  /// that lacks its own would decode to something else each time.
  func decodeJPEG(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> DecodedImage {
    let image =
      if let image = try decodeJPEG(bytes, isCareful: false) {
        image
      } else {
        // All its codes may have been right, and padding follows them: this time bad ones are told.
        try decodeJPEG(bytes, isCareful: true)!
      }
    return upright(image, ImageOrientation(ofJPEG: bytes))
  }

  /// The picture as stored; nil where only a careful decoder can tell whether it is damaged.
  private func decodeJPEG(_ bytes: UnsafeRawBufferPointer, isCareful: Bool) throws(Failure) -> DecodedImage? {
    let data = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
    guard let jpeg = cosface_jpeg_open(data, bytes.count, isCareful ? 1 : 0) else {
      fatalError("Out of memory for a JPEG decoder")
    }
    defer { cosface_jpeg_close(jpeg) }
    try check(jpeg)
    let (width, height) = (Int(jpeg.pointee.info.image_width), Int(jpeg.pointee.info.image_height))
    let output = try pixels(width: width, height: height)
    let hasInks = cosface_jpeg_has_inks(jpeg) != 0
    let rows =
      hasInks ? inks.reserve(4 * width * height, of: UInt8.self) : output
    cosface_jpeg_read(jpeg, rows)
    try check(jpeg)
    guard isCareful || jpeg.pointee.is_doubtful == 0 else { return nil }
    if hasInks { convertInks(rows, width * height, to: output) }
    return DecodedImage(pixels: output, width: width, height: height)
  }

  /// Adobe's programs, the source of practically all CMYK JPEGs, store inks inverted: 255 is no ink. Pillow and OpenCV
  /// read them so too.
  private func convertInks(_ cmyk: UnsafePointer<UInt8>, _ count: Int, to output: UnsafeMutablePointer<UInt8>) {
    for pixel in 0..<count {
      let black = Int(cmyk[4 * pixel + 3])
      for channel in 0..<3 {
        output[3 * pixel + channel] = UInt8((Int(cmyk[4 * pixel + channel]) * black + 127) / 255)
      }
    }
  }

  private func check(_ jpeg: UnsafeMutablePointer<cosface_jpeg>) throws(Failure) {
    let message = String(cString: cosface_jpeg_message(jpeg))
    guard message.isEmpty else { throw Failure("broken JPEG: \(message)") }
  }
}
