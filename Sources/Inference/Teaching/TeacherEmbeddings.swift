package import Datasets
import Files
import VectorKernels

/// A teacher's embeddings that `cosface embed` has written, found by the images' names.
///
/// `embed --flip concatenate` writes an image's embedding and that of its mirror image, so that each look has its own; of the
/// other kinds of file both have the same.
package final class TeacherEmbeddings: Teacher {
  package let width: Int
  /// Rows of an image: as it is, and where the file tells them apart mirrored.
  private let looks: Int
  /// (N, looks, T) of length 1, in the order of the training images.
  private let rows: AlignedMemory
  /// (capacity, T)
  private let output: AlignedMemory
  package let digest: String

  /// - Parameters:
  ///   - source: the images of the batches.
  ///   - capacity: the largest batch.
  /// - Throws: `EvaluationError`, or what is wrong with the file.
  package init(path: String, _ source: any ImageSource, capacity: Int) throws {
    let table = try Table(path: path)
    (width, looks) = (table.width, table.looks)
    let places = try table.places(of: source)
    let values = try table.file.floats(of: Table.embeddings)
    rows = AlignedMemory(count: places.count * looks * width)
    let row = looks * width
    for (sample, place) in places.enumerated() {
      let target = rows.elements.baseAddress! + sample * row
      values.withUnsafeBufferPointer { target.update(from: $0.baseAddress! + place * row, count: row) }
      for look in 0..<looks {
        try UnitRow.make(
          target + look * width, width: width,
          "\(path.printableName): the embedding of '\(table.names[place].printableName)'")
      }
    }
    output = AlignedMemory(count: capacity * width)
    digest = "\(Digest(of: UnsafeRawBufferPointer(rows.elements)))"
  }

  package var imageSide: Int? { nil }
  package var bytes: Int { rows.bytes + output.bytes }

  package func embeddings(of batch: Batch) -> UnsafePointer<Float> {
    let (from, to) = (rows.elements.baseAddress!, output.elements.baseAddress!)
    for index in 0..<batch.count {
      let look = looks > 1 && batch.isMirrored[index] ? 1 : 0
      (to + index * width).update(from: from + (Int(batch.samples[index]) * looks + look) * width, count: width)
    }
    return UnsafePointer(to)
  }

  /// What stands in the file.
  private struct Table {
    static let embeddings = "embeddings"

    let file: SafetensorsFile
    let names: [String]
    let width: Int
    let looks: Int

    init(path: String) throws {
      file = try SafetensorsFile(path: path)
      func refuse(_ reason: String) -> EvaluationError {
        EvaluationError(
          "\(path.printableName) \(reason). A teacher's embeddings are what 'cosface embed --flip concatenate --output "
            + "FILE.safetensors' writes")
      }
      guard let text = file.metadata[EmbeddingFormat.flipKey], let flip = FlipTest(rawValue: text) else {
        throw refuse("does not say what its rows are made of")
      }
      guard file.contains(Self.embeddings), file.contains("names") else { throw refuse("has no embeddings and names") }
      let shape = try file.shape(of: Self.embeddings)
      looks = flip == .concatenate ? 2 : 1
      guard shape.count == 2, shape[0] > 0, shape[1] > 0, shape[1] % looks == 0 else {
        throw refuse("has embeddings of shape \(shape)")
      }
      width = shape[1] / looks
      let lines = try file.withBytes(of: "names") { String(decoding: $0, as: UTF8.self) }
      names = lines.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
      guard names.count == shape[0] else { throw refuse("has \(names.count) names of \(shape[0]) rows") }
    }

    /// For each image its row. By its name, or else by as much of the end of its path as is a row's name.
    func places(of source: any ImageSource) throws -> [Int] {
      var known: [Substring: Int] = [:]
      for (row, name) in names.enumerated() {
        if known.updateValue(row, forKey: name[...]) != nil {
          throw EvaluationError("\(file.path.printableName) has two rows of '\(name.printableName)'")
        }
      }
      var users = [Int32](repeating: -1, count: names.count)
      var missing: [String] = []
      var missingCount = 0
      var places: [Int] = []
      places.reserveCapacity(source.count)
      for sample in 0..<source.count {
        let name = source.identifier(of: sample)
        guard let row = known[name[...]] ?? Self.ending(of: source.path(of: sample), in: known) else {
          missingCount += 1
          if missing.count < 5 { missing.append(name.printableName) }
          continue
        }
        // Two people's 1.jpg, embedded from within the one's folder, would have one embedding.
        guard users[row] < 0 else {
          throw EvaluationError(
            "\(file.path.printableName): the row '\(names[row].printableName)' fits two images, "
              + "'\(source.identifier(of: Int(users[row])).printableName)' and '\(name.printableName)'. Embed the folder that "
              + "is trained on, so that names are whole")
        }
        users[row] = Int32(sample)
        places.append(row)
      }
      guard missingCount == 0 else {
        throw EvaluationError(
          "\(file.path.printableName) has no embedding of \(missingCount.grouped) of the \(source.count.grouped) images: "
            + missing.joined(separator: ", ") + (missingCount > missing.count ? ", ..." : "")
            + ". Embed the set that is trained on, all of it; images that cannot be read have no row: take them out")
      }
      return places
    }

    private static func ending(of path: String, in known: [Substring: Int]) -> Int? {
      var rest = path[...]
      while let slash = rest.firstIndex(of: "/") {
        rest = rest[rest.index(after: slash)...]
        if let row = known[rest] { return row }
      }
      return nil
    }
  }
}
