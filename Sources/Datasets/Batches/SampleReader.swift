package import Files

/// Reads, decodes and resizes one sample after the other. One per worker.
package final class SampleReader {
  private let source: any ImageSource
  private let decoder = ImageDecoder()
  private let resizer: ImageResizer
  /// To a teacher's side, where it is another.
  private let teacherResizer: ImageResizer?
  private let known: KnownImages?
  private let scratch = ByteBuffer()

  package var side: Int { resizer.width }

  /// - Parameter known: is shown the bytes of every image.
  package init(_ source: any ImageSource, side: Int, teacherSide: Int? = nil, known: KnownImages? = nil) {
    self.source = source
    self.known = known
    resizer = ImageResizer(side: side)
    teacherResizer = teacherSide.flatMap { $0 == side ? nil : ImageResizer(side: $0) }
  }

  /// Writes (3, side, side) planes, and where there is memory for a teacher its (3, T, T) ones from the same pixels.
  ///
  /// - Throws: `DataError` naming the file, where it cannot be read or decoded.
  package func read(
    _ sample: Int, _ transform: PixelTransform, to planes: UnsafeMutablePointer<Float>,
    teacher: UnsafeMutablePointer<Float>? = nil
  ) throws(DataError) {
    func path() -> String { source.path(of: sample) }
    do {
      try source.withEncodedImage(of: sample, scratch: scratch) { bytes in
        known?.look(at: bytes, of: sample)
        let image = try decoder.decode(bytes, name: path())
        transform.render(resizer.resize(image), side: side, to: planes)
        guard let teacher, let teacherResizer else { return }
        let teacherSide = teacherResizer.width
        transform.scaled(from: side, to: teacherSide)
          .render(teacherResizer.resize(image), side: teacherSide, to: teacher)
      }
    } catch let error as DataError {
      throw error
    } catch {
      throw DataError(path(), "\(error)")
    }
  }
}
