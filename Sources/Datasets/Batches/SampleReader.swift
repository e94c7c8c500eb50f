package import Files

/// Reads, decodes and resizes one sample after the other. One per worker.
package final class SampleReader {
  private let source: any ImageSource
  private let decoder = ImageDecoder()
  private let resizer: ImageResizer
  private let scratch = ByteBuffer()

  package var side: Int { resizer.width }

  package init(_ source: any ImageSource, side: Int) {
    self.source = source
    resizer = ImageResizer(side: side)
  }

  /// Writes (3, side, side) planes.
  ///
  /// - Throws: `DataError` naming the file, where it cannot be read or decoded.
  package func read(_ sample: Int, _ transform: PixelTransform, to planes: UnsafeMutablePointer<Float>)
    throws(DataError)
  {
    func path() -> String { source.path(of: sample) }
    do {
      try source.withEncodedImage(of: sample, scratch: scratch) { bytes in
        let image = try decoder.decode(bytes, name: path())
        transform.render(resizer.resize(image), side: side, to: planes)
      }
    } catch let error as DataError {
      throw error
    } catch {
      throw DataError(path(), "\(error)")
    }
  }
}
