package import Datasets
import Files
import VectorKernels

/// A teacher's embeddings as `cosface embed` wrote them, looked up instead of computed: of the pictures as they are on the
/// disk and, where both looks were kept, mirrored.
///
/// N = samples of the training set, L = looks (2 of `--flip concatenate`, else 1), K_t = `width`
///
/// All ranks hold all rows: N L K_t Floats.
package final class TeacherEmbeddings: Teacher {
  package let width: Int
  package let digest: String
  package let notes: [String]

  private let looks: Int
  /// (N, L, K_t) unit vectors.
  private let rows: AlignedMemory
  /// (M, K_t)
  private let output: AlignedMemory

  /// Reads the files of `paths`, and finds the row of each of the training set's images by its name.
  ///
  /// - Parameters:
  ///   - paths: one file or several; where the images' own names are not enough, as the records of several .rec, one for each
  ///     set of a union, in their order.
  ///   - capacity: the most images of a batch.
  /// - Throws: `DataError` where a file is not what `embed` writes now, files do not fit together, an image has no row, or
  ///   one name has two rows that differ; `SafetensorsError` or `FileError` where a file cannot be read.
  package init(_ paths: [String], of source: any ImageSource, capacity: Int) throws {
    precondition(!paths.isEmpty && capacity > 0, "\(paths.count) files for batches of \(capacity)")
    let files = try paths.map(EmbeddingFile.init)
    let first = files[0]
    for file in files where (file.looks, file.width) != (first.looks, first.width) {
      throw DataError(
        file.path,
        "its rows are \(file.shape), those of \(first.path.printableName) \(first.shape)",
        remedy: "Embed all images by the same model, with the same --flip.")
    }
    let found = try RowMatch(files, source, samples: Array(0..<source.count), SingleProcess())
    let (looks, width) = (first.looks, first.width)
    rows = AlignedMemory(count: source.count * looks * width)
    let memory = rows.elements.baseAddress!
    for (sample, (number, row)) in found.places.enumerated() {
      let file = files[number]
      try file.withRows { values in
        for look in 0..<looks {
          do throws(UnitVector.Problem) {
            try UnitVector.write(
              values.baseAddress! + (row * looks + look) * width * MemoryLayout<Float>.size, count: width,
              to: memory + (sample * looks + look) * width)
          } catch {
            throw DataError(file.path, "the embedding of '\(file.names[row].text.printableName)' \(error.text)")
          }
        }
      }
      Heartbeat.beat()
    }
    (self.looks, self.width, notes) = (looks, width, found.notes)
    output = AlignedMemory(count: capacity * width)
    digest = "\(Digest(of: UnsafeRawBufferPointer(rows.elements)))"
  }

  package var imageSide: Int? { nil }
  package var bytes: Int { rows.bytes + output.bytes }

  /// The rows of the samples really read, replacements included; the second look of those that were mirrored.
  package func embeddings(of batch: Batch) -> UnsafePointer<Float> {
    precondition(
      batch.count * width <= output.elements.count, "\(batch.count) images for \(output.elements.count) Floats")
    let (from, to) = (rows.elements.baseAddress!, output.elements.baseAddress!)
    for position in 0..<batch.count {
      let look = looks == 2 && batch.isMirrored[position] ? 1 : 0
      let row = Int(batch.samples[position]) * looks + look
      (to + position * width).update(from: from + row * width, count: width)
    }
    return UnsafePointer(to)
  }
}
