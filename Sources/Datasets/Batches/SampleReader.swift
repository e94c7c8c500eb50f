package import Files

/// Reads, decodes and resizes one sample after the other. One per worker.
package final class SampleReader {
  private let source: any ImageSource
  private let decoder = ImageDecoder()
  private let resizer: ImageResizer
  /// To a teacher's side, where that is another one.
  private let teacherResizer: ImageResizer?
  private let scratch = ByteBuffer()

  package var side: Int { resizer.width }

  package init(_ source: any ImageSource, side: Int, teacherSide: Int? = nil) {
    self.source = source
    teacherResizer = teacherSide.flatMap { $0 == side ? nil : ImageResizer(side: $0) }
    resizer = ImageResizer(side: side)
  }

  /// Writes (3, side, side) planes, and of the same picture a teacher's (3, T, T), where they are asked for.
  ///
  /// - Throws: `DataError` naming the file, where it cannot be read or decoded.
  package func read(
    _ sample: Int, _ transform: PixelTransform, to planes: UnsafeMutablePointer<Float>,
    teacherPlanes: UnsafeMutablePointer<Float>? = nil
  ) throws(DataError) {
    func path() -> String { source.path(of: sample) }
    do {
      try source.withEncodedImage(of: sample, scratch: scratch) { bytes in
        let image = try decoder.decode(bytes, name: path())
        transform.render(resizer.resize(image), side: side, to: planes)
        if let teacherPlanes, let teacherResizer {
          let other = teacherResizer.width
          transform.scaled(from: side, to: other).render(teacherResizer.resize(image), side: other, to: teacherPlanes)
        }
      }
    } catch let error as DataError {
      throw error
    } catch {
      throw DataError(path(), "\(error)")
    }
  }
}
