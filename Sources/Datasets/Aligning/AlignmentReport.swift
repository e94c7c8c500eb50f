import Foundation

/// What an alignment came to.
package struct AlignmentReport: Codable, Equatable, Sendable {
  package struct Listed: Codable, Equatable, Sendable {
    package let image: String
    package let reason: String
  }

  package let table: String
  package let output: String
  package let rows: Int
  /// Faces that are in the output folder now.
  package let aligned: Int
  /// Those of them that were there, whole, before.
  package let kept: Int
  package let repeatedRows: Int
  /// Faces that were refused, by why: too small, mirrored, outside the picture, unlike a face.
  package let refusedCounts: [String: Int]
  package let refused: [Listed]
  /// Rows and images of no use.
  package let bad: [Listed]
  /// Of the landmarks, in pixels of the aligned picture.
  package let residuals: Distribution?
  package let worst: [Listed]
  package let scales: Distribution?
  /// Aligned faces that lie in no person's folder.
  package let withoutPerson: Int
}

extension AlignmentReport: CustomStringConvertible {
  /// For people.
  package var description: String {
    let refusals = refusedCounts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    var lines = [
      "rows       \(rows)" + (repeatedRows > 0 ? ", \(repeatedRows) of them repeat others" : ""),
      "aligned    \(aligned)" + (kept > 0 ? ", \(kept) of them were there already" : ""),
      "refused    \(refused.count)" + (refused.isEmpty ? "" : ": \(refusals)"),
      "unusable   \(bad.count)",
    ]
    if let residuals {
      lines.append("residual   " + Self.text(residuals) + " pixels (root mean square of the five points)")
      lines += worst.map { "  worst    \($0.image.printableName): \($0.reason)" }
    }
    if let scales {
      lines.append("scale      " + Self.text(scales) + " pixels of the result per pixel of the photograph")
    }
    for (title, list) in [("Refused", refused), ("Unusable", bad)] where !list.isEmpty {
      lines.append("\(title):")
      lines += list.prefix(10).map { "  \($0.image.printableName): \($0.reason)" }
      if list.count > 10 { lines.append("  and \(list.count - 10) more") }
    }
    lines.append("Every image is listed in \(output.printableName)/\(ImageFolder.alignmentList).")
    if withoutPerson > 0 {
      lines.append(
        "\(withoutPerson) faces lie in no person's folder, which training needs: --people FILE says who they are.")
    }
    return lines.joined(separator: "\n")
  }

  private static func text(_ distribution: Distribution) -> String {
    String(
      format: "%.3f, deviation %.3f, %.3f to %.3f", distribution.mean, distribution.standardDeviation,
      distribution.minimum, distribution.maximum)
  }
}
