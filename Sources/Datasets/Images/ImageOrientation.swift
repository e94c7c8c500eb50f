/// How a camera was held, as a file's metadata note it: where the picture's rows and columns belong.
enum ImageOrientation: Int {
  case upright = 1
  case mirrored, upsideDown, flipped, transposed, rightTop, transversed, leftBottom

  /// That of EXIF's tag 0x0112, else of XMP's `tiff:Orientation`; upright where they say nothing, or nothing that can be
  /// read. What Pillow turns is turned.
  init(exif: some Collection<UInt8>, xmp: some Collection<UInt8>) {
    let value: Int? =
      switch EXIF(exif).orientation {
      case .value(let value): value
      // The tag is there, and XMP is not asked.
      case .unreadable: nil
      case .absent: Self.value(xmp: xmp)
      }
    self = value.flatMap(Self.init) ?? .upright
  }

  var swapsSides: Bool { rawValue >= 5 }

  /// Where the pixel at (x, y) of the upright picture stands in one of width x height pixels.
  func source(_ x: Int, _ y: Int, width: Int, height: Int) -> (x: Int, y: Int) {
    switch self {
    case .upright: (x, y)
    case .mirrored: (width - 1 - x, y)
    case .upsideDown: (width - 1 - x, height - 1 - y)
    case .flipped: (x, height - 1 - y)
    case .transposed: (y, x)
    case .rightTop: (y, height - 1 - x)
    case .transversed: (width - 1 - y, height - 1 - x)
    case .leftBottom: (width - 1 - y, x)
    }
  }

  /// The digit behind the first `tiff:Orientation="` or `tiff:Orientation>`.
  private static func value(xmp: some Collection<UInt8>) -> Int? {
    var rest = xmp[...]
    while let start = rest.firstIndex(of: UInt8(ascii: "t")) {
      rest = rest[start...]
      for mark in ["tiff:Orientation=\"", "tiff:Orientation>"] where rest.starts(with: mark.utf8) {
        if let digit = rest.dropFirst(mark.utf8.count).first, (48...57).contains(digit) { return Int(digit) - 48 }
      }
      rest = rest.dropFirst()
    }
    return nil
  }
}

extension ImageDecoder {
  /// The picture as it was seen, not as the camera lay.
  func upright(_ image: DecodedImage, _ orientation: ImageOrientation) -> DecodedImage {
    guard orientation != .upright else { return image }
    let (width, height) = orientation.swapsSides ? (image.height, image.width) : (image.width, image.height)
    let output = turned.reserve(3 * width * height, of: UInt8.self)
    for y in 0..<height {
      for x in 0..<width {
        let place = orientation.source(x, y, width: image.width, height: image.height)
        let pixel = image.pixels + 3 * (image.width * place.y + place.x)
        for channel in 0..<3 { output[3 * (width * y + x) + channel] = pixel[channel] }
      }
    }
    return DecodedImage(pixels: output, width: width, height: height)
  }
}
