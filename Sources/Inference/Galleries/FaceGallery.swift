package import Datasets
package import Files
import NeuralNetwork

/// Known people, each by one template: the mean direction of the embeddings of their images.
///
/// N = people, K = width of what stands for an image, u = embeddings of length 1
///
///     t_p = sum of person p's u, divided by its length        cosine(u, p) = <u, t_p>
package struct FaceGallery: Sendable {
  package struct Candidate: Codable, Equatable, Sendable {
    package let name: Name
    /// With the template, in [-1, 1].
    package let cosine: Double
    /// Images of this person in the gallery.
    package let images: Int
  }

  package let names: [Name]
  package var width: Int { templates.width }
  /// (N, K)
  private let templates: EmbeddingTable
  private let imageCounts: [Int]

  /// The people of embedded images; those that could not be read are left out.
  ///
  /// - Throws: `EvaluationError`, also for a person of whom no image could be read or whose images' directions cancel out.
  package init(_ embeddings: Embeddings, of people: any ImageSource) throws {
    let rows = (0..<embeddings.count).flatMap { embeddings.vector($0) }
    let labels = embeddings.samples.map { people.label(of: $0) }
    self = try rows.withUnsafeBytes { rows in
      try FaceGallery(
        names: people.classNames, labels: labels, rows: rows, width: embeddings.flip.width(embeddings.width)
      ) { people.identifier(of: embeddings.samples[$0]) }
    }
  }

  /// The people of a file of embeddings. Its rows stay on the disk.
  package init(_ file: GalleryFile) throws {
    self = try file.rows.withRows { rows in
      try FaceGallery(names: file.people, labels: file.labels, rows: rows, width: file.rows.rowWidth) {
        file.rows.names[$0].text
      }
    }
  }

  /// - Parameters:
  ///   - labels: of each row its person's number.
  ///   - rows: (labels.count, K) Floats, of any length but 0, aligned or not.
  ///   - rowName: for messages.
  private init(
    names: [Name], labels: [Int], rows: UnsafeRawBufferPointer, width: Int, rowName: (Int) -> String
  ) throws(EvaluationError) {
    let order = RowsByClass(labels, classes: names.count)
    var templates = [Float](repeating: 0, count: names.count * width)
    // Of each person, the row or the sum that has no direction.
    var problems = [Int?](repeating: nil, count: names.count)
    templates.withUnsafeMutableBufferPointer { templates in
      problems.withUnsafeMutableBufferPointer { problems in
        Parallel.ranges(names.count) { people in
          for person in people {
            problems[person] = Self.template(
              order.rows(of: person), of: rows, width, to: templates.baseAddress! + person * width)
          }
        }
      }
    }
    for (person, problem) in problems.enumerated() {
      guard let row = problem else { continue }
      guard row < labels.count else {
        throw EvaluationError(
          "The gallery has no image of '\(names[person].text.printableName)' from which a template can be made")
      }
      throw EvaluationError(
        "The embedding of '\(rowName(row).printableName)' is all zeros or holds a value that is not finite")
    }
    self.names = names
    self.templates = try EmbeddingTable(templates, width: width) { names[$0].text.printableName }
    imageCounts = names.indices.map { order.rows(of: $0).count }
  }

  /// Writes the mean direction of some rows.
  ///
  /// - Returns: nil, the row that has no direction, or `Int.max` where their sum has none.
  private static func template(
    _ some: ArraySlice<Int32>, of rows: UnsafeRawBufferPointer, _ width: Int, to output: UnsafeMutablePointer<Float>
  ) -> Int? {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: width) { sum -> Int? in
      sum.initialize(repeating: 0)
      for row in some {
        let values = rows.baseAddress! + Int(row) * width * MemoryLayout<Float>.size
        do throws(UnitVector.Problem) { try UnitVector.write(values, count: width, to: output) } catch {
          return Int(row)
        }
        for k in 0..<width { sum[k] += Double(output[k]) }
      }
      let norm = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
      guard norm > 0 else { return .max }
      for k in 0..<width { output[k] = Float(sum[k] / norm) }
      return nil
    }
  }

  /// For each row of `probes` the `count` nearest people, the nearest first; those of one cosine by name.
  package func candidates(for probes: EmbeddingTable, count: Int) -> [[Candidate]] {
    NearestRows.find(count, in: templates, of: probes).map { nearest in
      nearest.map { Candidate(name: names[$0.row], cosine: $0.cosine, images: imageCounts[$0.row]) }
    }
  }
}

/// The rows of each class, ascending, in one array: of a million rows as of ten.
private struct RowsByClass {
  private let order: [Int32]
  private let starts: [Int]

  init(_ labels: [Int], classes: Int) {
    var starts = [Int](repeating: 0, count: classes + 1)
    for label in labels { starts[label + 1] += 1 }
    for label in 0..<classes { starts[label + 1] += starts[label] }
    var (next, order) = (starts, [Int32](repeating: 0, count: labels.count))
    for (row, label) in labels.enumerated() {
      order[next[label]] = Int32(row)
      next[label] += 1
    }
    (self.order, self.starts) = (order, starts)
  }

  func rows(of label: Int) -> ArraySlice<Int32> { order[starts[label]..<starts[label + 1]] }
}
