import Files
import Foundation
import Inference
import Testing

/// Templates of a file's rows, against mean directions made one by one.
@Suite struct FaceGalleryTests {
  private let files: TemporaryFolder

  init() throws { files = try TemporaryFolder() }

  private func gallery(_ names: [Name], width: Int, _ values: [Float]) throws -> FaceGallery {
    _ = try EmbeddingFormat.safetensors.write(
      names: names, width: width, origin: EmbeddingOrigin(flip: .none, isNormalized: false, weights: nil),
      to: files["rows.safetensors"], parts: 0..<1
    ) { _ in values }
    return try FaceGallery(GalleryFile(path: files["rows.safetensors"]))
  }

  /// People whose rows lie apart, of one to five rows.
  @Test func meanDirections() throws {
    let (people, width) = (70, 5)
    let owners = (0..<210).map { ($0 * $0 + $0 / 7) % people }
    let values = (0..<(210 * width)).map { Float(($0 * 7919) % 211) / 10 - 9 }
    let names = owners.enumerated().map { Name("p\($1.digits(2))/\($0)") }
    let gallery = try gallery(names, width: width, values)
    let shown = Set(owners).sorted()
    #expect(gallery.names == shown.map { Name("p\($0.digits(2))") })
    func row(_ i: Int) -> [Double] {
      let row = values[(i * width)..<((i + 1) * width)].map(Double.init)
      return row.map { $0 / row.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    }
    let templates = shown.map { person -> [Double] in
      let rows = owners.indices.filter { owners[$0] == person }.map(row)
      let sum = (0..<width).map { k in rows.reduce(0) { $0 + $1[k] } }
      return sum.map { $0 / sum.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    }
    let probes = try EmbeddingTable(Array(values.prefix(3 * width)), width: width) { "\($0)" }
    for (probe, candidates) in gallery.candidates(for: probes, count: 200).enumerated() {
      let cosines = templates.map { template in zip(template, row(probe)).reduce(0) { $0 + $1.0 * $1.1 } }
      let order = shown.indices.sorted { cosines[$0] > cosines[$1] }
      #expect(candidates.map(\.name) == order.map { gallery.names[$0] })
      for (candidate, place) in zip(candidates, order) {
        #expect(abs(candidate.cosine - cosines[place]) < 1e-6)
        #expect(candidate.images == owners.count { $0 == shown[place] })
      }
    }
  }

  @Test func rowsWithoutADirection() throws {
    #expect(throws: EvaluationError.self) { try gallery(["a/1", "a/2"], width: 2, [1, 2, -1, -2]) }
    let error = #expect(throws: EvaluationError.self) { try gallery(["a/1", "b/2"], width: 2, [1, 2, 0, 0]) }
    #expect(error?.reason.contains("'b/2' is all zeros") == true)
    let infinite = #expect(throws: EvaluationError.self) { try gallery(["a/1"], width: 2, [1, .infinity]) }
    #expect(infinite?.reason.contains("'a/1'") == true)
  }
}
