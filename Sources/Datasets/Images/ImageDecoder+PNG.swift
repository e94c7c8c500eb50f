import CSPNG

extension ImageDecoder {
  /// The corresponding C functions are `spng_get_ihdr`, `spng_decode_image` and `spng_decode_chunks`.
  func decodePNG(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> DecodedImage {
    // libspng has no reset: a context serves one image.
    guard let context = spng_ctx_new(0) else { fatalError("Out of memory for a PNG decoder") }
    defer { spng_ctx_free(context) }
    let chunks = PNGChunks(bytes)
    let picture = chunks.copyPicture(to: stripped)
    try check(spng_set_png_buffer(context, picture.baseAddress, picture.count))
    var header = spng_ihdr()
    try check(spng_get_ihdr(context, &header))
    let (width, height) = (Int(header.width), Int(header.height))
    let output = try pixels(width: width, height: height)
    try check(spng_decode_image(context, output, 3 * width * height, CInt(SPNG_FMT_RGB8.rawValue), 0))
    // Reads on to the end mark, so that a file cut after its pixels is seen.
    try check(spng_decode_chunks(context))
    return upright(DecodedImage(pixels: output, width: width, height: height), chunks.orientation)
  }

  private func check(_ code: CInt) throws(Failure) {
    guard code != 0 else { return }
    throw Failure("broken PNG: \(String(cString: spng_strerror(code)))")
  }
}
