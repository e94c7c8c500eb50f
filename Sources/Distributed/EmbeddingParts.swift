import Datasets
import Files
import Foundation

/// What a long run of `embed` has done so far: `OUTPUT.parts/part-00000012.safetensors`, each written whole or not at all.
///
/// A part says which job it belongs to: the weights, the images and the options that its rows depend on. Parts of another
/// job are written anew.
struct EmbeddingParts {
  let folder: String
  let job: Digest

  private static let jobKey = "job"
  private static let badImagesKey = "badImages"

  init(output: String, job: Digest) {
    folder = output + ".parts"
    self.job = job
  }

  /// Makes the folder.
  func prepare() throws(FileError) {
    // The folder above is the user's: a misspelt one shall not be made.
    guard FilePath.kind(FilePath.split(folder).folder) == .folder else {
      throw FileError("create the folder", folder, code: ENOENT)
    }
    try FilePath.makeFolder(folder)
  }

  private func path(_ part: Int) -> String { "\(folder)/part-\(part.digits(8)).safetensors" }

  /// Whether the part is there, whole and of this job.
  func contains(_ part: Int) -> Bool {
    (try? SafetensorsFile(path: path(part)))?.metadata[Self.jobKey] == "\(job)"
  }

  /// Keeps a part's rows (n, K) and their samples' numbers (n).
  func write(_ rows: [Float], width: Int, samples: [Int], badImages: [BadImage], part: Int) throws {
    var writer = SafetensorsWriter(metadata: [
      Self.jobKey: "\(job)",
      Self.badImagesKey: String(decoding: try JSONEncoder().encode(badImages), as: UTF8.self),
    ])
    writer.add("embeddings", shape: [samples.count, width], rows)
    writer.add("samples", shape: [samples.count], samples.map(Int64.init))
    try writer.write(to: path(part))
  }

  func rows(_ part: Int) throws -> [Float] { try SafetensorsFile(path: path(part)).floats(of: "embeddings") }

  /// Numbers of the samples that have rows, and the images that have none.
  func samples(_ part: Int) throws -> (samples: [Int], badImages: [BadImage]) {
    let file = try SafetensorsFile(path: path(part))
    let json = Data((file.metadata[Self.badImagesKey] ?? "[]").utf8)
    return (
      try file.integers(of: "samples").map { Int($0) }, try JSONDecoder().decode([BadImage].self, from: json)
    )
  }

  /// Removes the folder: the rows stand in the output.
  func remove() throws { try FileManager.default.removeItem(atPath: folder) }
}
