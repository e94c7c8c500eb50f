import ArgumentParser
import Datasets
import Files
import Foundation
import Training

struct DatasetPackCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pack",
    abstract: "Pack images into a RecordIO file, as InsightFace's and MXNet's programs read it.",
    discussion: """
      Writes X.rec, X.idx, property, and X.rec.catalog with names and a digest of every record. The bytes are the same on \
      each machine, with any number of threads, and after an interruption: the same command again goes on where it ended.
      """)

  @Argument(help: "Folder of people, list of files, or another .rec.")
  var input: String

  @Argument(help: "File to write: X.rec, in a folder of its own.")
  var output: String

  @Option(
    Limits.storedSide,
    help: "Resize images of another size to this side, and store those as JPEG; else files keep their bytes.")
  var size: Int?

  @Option(
    Limits.quality,
    help: "Store every image as JPEG of this quality, \(ImageReencoding.defaultQuality) where --size resizes."
  )
  var quality: Int?

  @Flag(help: "Leave out images that cannot be read, each named, instead of ending.")
  var skipUnreadable = false

  @Option(Limits.threads, help: "Threads that read and decode; one for each core unless given.")
  var workers: Int?

  func validate() throws {
    try Requirement.oneProcess("dataset pack", workers: true)
  }

  func run() throws {
    var packer = RecordPacker(
      try ImageSet.open(input), output: output, reencoding: ImageReencoding(side: size, quality: quality))
    Notes.show(packer.source.notes)
    packer.workers = workers ?? ProcessInfo.processInfo.activeProcessorCount
    packer.skipsUnreadable = skipUnreadable
    let progress = WorkProgress("images")
    let summary = try packer.run { progress.show($0, of: packer.source.count) }
    for image in summary.skipped { Terminal.print(line: "skipped  \(image.identifier): \(image.reason)") }
    Terminal.print(
      line: "packed   \(output): \(summary.images) images of \(summary.people) people, \(summary.bytes) bytes"
        + (summary.skipped.isEmpty ? "" : "; \(summary.skipped.count.counted("image")) skipped"))
  }
}
