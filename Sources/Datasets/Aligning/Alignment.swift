package import Files
import Foundation

/// The faces of a folder of photographs, brought to the place where networks expect them: one aligned file per row of a
/// table, in the photographs' own folders.
///
/// Started again, it keeps what is there and whole. The files do not depend on the number of threads.
package final class Alignment: Sendable {
  private let options: FaceAlignmentOptions
  private let table: FaceTable
  private let plan: AlignmentPlan
  private let root: AlignedFolder

  enum Outcome: Sendable {
    case aligned(FaceAligner.Fit, kept: Bool)
    case refused(FaceAligner.Refusal)
    case bad(String)
  }

  /// Reads the table; opens no image.
  ///
  /// - Throws: `DataError` where the table is of no known format or mostly unusable, where the output folder holds
  ///   something else; `FileError`.
  package init(_ options: FaceAlignmentOptions) throws {
    self.options = options
    table = try FaceTable(path: options.table, kind: options.kind)
    plan = try AlignmentPlan(table, options)
    // Here, before hours of work.
    try Self.check(plan.bad.map { .init(image: $0.name, reason: $0.reason) }, table, options)
    // Fails where there is no such folder.
    _ = try DirectoryListing(path: options.images)
    try AlignmentSettings(table, plan, options).claim(options.output)
    root = try AlignedFolder(path: options.output, isNot: options.images)
    try OutputFiles.tryOut(["\(options.output)/\(ImageFolder.alignmentList)"], inputs: [options.table, options.people])
  }

  /// Aligns what is not there yet, and writes the list of all images.
  ///
  /// - Parameter progress: called with the images done after each.
  /// - Throws: what makes writing impossible.
  package func run(progress: (_ done: Int, _ total: Int) -> Void) throws -> AlignmentReport {
    let places = plan.rows.indices
    var outcomes: [Outcome] = []
    try OrderedWork.run(places, workers: options.workers) { [self] in
      let aligner = FaceAligner(table, options)
      return { try self.outcome($0, aligner) }
    } consume: { _, outcome in
      outcomes.append(outcome)
      progress(outcomes.count, places.count)
    }
    let result = AlignmentResult(table, plan, outcomes, options)
    try AtomicFile.write(Data(result.csv.utf8), to: "\(options.output)/\(ImageFolder.alignmentList)")
    return result.report
  }

  /// Refuses a result with more images of no use than allowed, or without a face.
  ///
  /// - Throws: `DataError`
  package func check(_ report: AlignmentReport) throws(DataError) {
    try Self.check(report.bad, table, options)
    guard report.aligned > 0 else {
      throw DataError(
        options.table, "not one of its \(report.rows) rows gave a face",
        remedy: "Do the coordinates belong to these images, in the order of the template (eyes, nose, mouth)?")
    }
  }

  private static func check(
    _ bad: [AlignmentReport.Listed], _ table: FaceTable, _ options: FaceAlignmentOptions
  ) throws(DataError) {
    let rows = table.count + table.problems.count
    let limit = BadImage.limit(options.maximumBadImages, of: rows)
    guard bad.count > limit else { return }
    let named = bad.prefix(10).map { "\n  \($0.image.printableName): \($0.reason)" }.joined()
    throw DataError(
      options.table,
      "\(bad.count) of \(rows) rows are of no use, where \(limit) may be" + named
        + (bad.count > 10 ? "\n  and \(bad.count - 10) more" : ""),
      remedy: "Mend them, or allow more with --max-bad-images.")
  }

  /// - Throws: where nothing more can be written.
  private func outcome(_ place: Int, _ aligner: FaceAligner) throws -> Outcome {
    let row = plan.rows[place]
    do {
      let fit = try aligner.fit(row)
      let target = try root.path(of: plan.outputs[place])
      if aligner.isWhole(target) { return .aligned(fit, kept: true) }
      let source = try sourcePath(table.names[row])
      try aligner.align(row, path: source) { bytes in
        let file = try AtomicFile(path: target)
        try file.write(bytes)
        // A power failure may take the last files with it: the next start sees that they are not whole.
        try file.commit(durably: false)
      }
      return .aligned(fit, kept: false)
    } catch let refusal as FaceAligner.Refusal {
      return .refused(refusal)
    } catch let error as DataError {
      return .bad(error.reason)
    }
  }

  /// The image that a row names: with the ending given, or another one that there is.
  private func sourcePath(_ name: String) throws(DataError) -> String {
    let path = "\(options.images)/\(name)"
    if access(path, F_OK) == 0 { return path }
    let stem = AlignmentPlan.stem(path)
    for ending in PairList.extensions {
      for candidate in ["\(stem).\(ending)", "\(stem).\(ending.uppercased())"] where access(candidate, F_OK) == 0 {
        return candidate
      }
    }
    throw DataError(path, "there is no such image")
  }
}
