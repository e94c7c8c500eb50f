/// 8-bit RGB pixels (height, width, 3) in memory of whoever made them, valid until that one is used again.
package struct DecodedImage {
  package let pixels: UnsafePointer<UInt8>
  package let width: Int
  package let height: Int

  package init(pixels: UnsafePointer<UInt8>, width: Int, height: Int) {
    self.pixels = pixels
    self.width = width
    self.height = height
  }
}
