import CTurboJPEG

extension ImageDecoder {
  /// The corresponding C functions are `tjDecompressHeader3` and `tjDecompress2`.
  ///
  /// Each image gets a handle of its own (0.7 us of some 150): a used one keeps the last image's tables, so that a file
  /// that lacks its own would decode to something else each time, and after some broken files it refuses sound ones.
  func decodeJPEG(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> DecodedImage {
    guard let jpeg = tjInitDecompress() else { fatalError("Out of memory for a JPEG decoder") }
    defer { tjDestroy(jpeg) }
    let data = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
    let size = UInt(bytes.count)
    var (width, height, subsampling, space): (CInt, CInt, CInt, CInt) = (0, 0, -1, -1)
    let code = tjDecompressHeader3(jpeg, data, size, &width, &height, &subsampling, &space)
    // It also fails over a rare chroma subsampling that `tjDecompress2` handles; then all else has been filled in.
    guard code == 0 || (width > 0 && height > 0 && space >= 0) else { throw failure(jpeg) }
    guard width > 0 else { throw Failure("broken JPEG: it ends before its picture") }
    let output = try pixels(width: Int(width), height: Int(height))
    if space == CInt(TJCS_CMYK.rawValue) || space == CInt(TJCS_YCCK.rawValue) {
      let count = Int(width) * Int(height)
      let cmyk = inks.reserve(4 * count).baseAddress!.assumingMemoryBound(to: UInt8.self)
      try decompress(jpeg, data, size, cmyk, width, height, TJPF_CMYK)
      convertInks(cmyk, count, to: output)
    } else {
      try decompress(jpeg, data, size, output, width, height, TJPF_RGB)
    }
    return upright(DecodedImage(pixels: output, width: Int(width), height: Int(height)), JPEGOrientation(of: bytes))
  }

  /// The picture as it was seen, not as the camera lay.
  private func upright(_ image: DecodedImage, _ orientation: JPEGOrientation) -> DecodedImage {
    guard orientation != .upright else { return image }
    let (width, height) = orientation.swapsSides ? (image.height, image.width) : (image.width, image.height)
    let output = turned.reserve(3 * width * height).baseAddress!.assumingMemoryBound(to: UInt8.self)
    for y in 0..<height {
      for x in 0..<width {
        let place = orientation.source(x, y, width: image.width, height: image.height)
        let pixel = image.pixels + 3 * (image.width * place.y + place.x)
        for channel in 0..<3 { output[3 * (width * y + x) + channel] = pixel[channel] }
      }
    }
    return DecodedImage(pixels: output, width: width, height: height)
  }

  private func decompress(
    _ jpeg: tjhandle, _ data: UnsafePointer<UInt8>, _ size: UInt, _ output: UnsafeMutablePointer<UInt8>,
    _ width: CInt, _ height: CInt, _ format: TJPF
  ) throws(Failure) {
    // A progressive file may ask for any number of passes over the picture; this flag bounds them.
    let flags = CInt(TJFLAG_LIMITSCANS)
    guard tjDecompress2(jpeg, data, size, output, width, 0, height, CInt(format.rawValue), flags) != 0 else { return }
    let isWarning = tjGetErrorCode(jpeg) == CInt(TJERR_WARNING.rawValue)
    let message = String(cString: tjGetErrorStr2(jpeg))
    // libjpeg fills a damaged or truncated picture with grey and calls it a warning. We take warnings for errors but
    // one: padding between the complete picture and its end mark, which webcams write.
    if isWarning && message.hasPrefix("Corrupt JPEG data") && message.hasSuffix("extraneous bytes before marker 0xd9") {
      return
    }
    throw failure(jpeg)
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

  private func failure(_ jpeg: tjhandle) -> Failure { Failure("broken JPEG: \(String(cString: tjGetErrorStr2(jpeg)))") }
}
