import Files
import Foundation

/// What the faces of a folder were made with, kept beside them: other settings must not mix with them.
struct AlignmentSettings: Codable, Equatable {
  static let name = "alignment.json"

  let kind: FaceTable.Kind
  /// Digest of the rows: names, coordinates, people.
  let rows: String
  let size: AlignedSize
  let format: String
  let margin: Double?
  let minimumFace: Double
  /// Of landmarks.
  let maximumResidual: Double?

  init(_ table: FaceTable, _ plan: AlignmentPlan, _ options: FaceAlignmentOptions) {
    kind = options.kind
    var bytes: [UInt8] = []
    for (row, output) in zip(plan.rows, plan.outputs) { bytes += "\(table.names[row])\0\(output)\0".utf8 }
    let names = bytes.withUnsafeBytes { "\(Digest(of: $0))" }
    rows = names + "-" + table.coordinates.withUnsafeBytes { "\(Digest(of: $0))" }
    size = options.size
    format =
      switch options.format {
      case .jpeg(let quality): "jpeg \(quality)"
      case .png: "png"
      }
    margin = options.kind == .boxes ? options.margin : nil
    minimumFace = options.minimumFace
    maximumResidual = options.kind == .landmarks ? options.maximumResidual : nil
  }

  /// Makes the folder and writes the settings into it, or compares them with those that are there.
  ///
  /// - Throws: `DataError` where the folder holds something else, or faces of other settings; `FileError`.
  func claim(_ folder: String) throws {
    try FilePath.makeFolder(folder)
    let path = "\(folder)/\(Self.name)"
    if let data = FileManager.default.contents(atPath: path) {
      guard let former = try? JSONDecoder().decode(Self.self, from: data) else {
        throw DataError(path, "this is no record of an alignment", remedy: "Choose another folder.")
      }
      let changes = former.differences(from: self)
      guard changes.isEmpty else {
        throw DataError(
          folder, "its faces were aligned with other settings (\(changes.joined(separator: ", ")))",
          remedy: "Choose another folder, or remove this one.")
      }
      return
    }
    guard try DirectoryListing(path: folder).entries.isEmpty else {
      throw DataError(
        folder, "the folder holds files that no alignment made: there is no \(Self.name) in it",
        remedy: "Choose an empty or a new folder.")
    }
    try AtomicFile.write(JSONText.indented(self), to: path)
  }

  private func differences(from other: AlignmentSettings) -> [String] {
    func text(_ value: Double?) -> String { value.map { "\($0)" } ?? "none" }
    let values: [(String, String, String)] = [
      ("coordinates", kind.rawValue, other.kind.rawValue), ("size", size.rawValue, other.size.rawValue),
      ("format", format, other.format), ("margin", text(margin), text(other.margin)),
      ("least face", "\(minimumFace)", "\(other.minimumFace)"),
      ("greatest residual", text(maximumResidual), text(other.maximumResidual)),
    ]
    return values.filter { $0.1 != $0.2 }.map { "\($0.0) \($0.1), now \($0.2)" }
      + (rows == other.rows ? [] : ["other rows or people"])
  }
}
