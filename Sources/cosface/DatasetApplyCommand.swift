import ArgumentParser
import Cleaning
import Datasets
import Files
import Foundation
import Training

struct DatasetApplyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply",
    abstract: "Make a new set of a set and an edited table of 'dataset clean'; the old one stays as it is.",
    discussion: """
      The action of a line is keep (do nothing), remove, 'move PERSON' for an image (also to a new person), or 'join PERSON' \
      for all images of a person. A line without a path is about all images of the person that have no line of their own. \
      OUTPUT's ending says what is made: .csv, .txt or .tsv a list of the images and their people, .rec a file with the \
      images themselves, and any other name a folder of links to the images, by people. A .rec is made into a .rec.
      """)

  @Option(help: "Table that 'dataset clean' wrote.")
  var table: String

  @Option(help: "The set that the table is about: a folder (DIR/PERSON/IMAGE), .rec or list.")
  var data: String

  @Option(help: "File or folder to make: X.csv, X.rec, or a new folder.")
  var output: String

  @Option(Limits.threads, help: "Threads that read images where a .rec is made; one for each core unless given.")
  var workers: Int?

  func validate() throws {
    guard workers == nil || CorrectedSetWriter.Form(of: output) == .record else {
      throw ValidationError("--workers goes with an output that ends in .rec: for others no image is read.")
    }
    try Requirement.oneProcess("dataset apply", workers: false)
  }

  func run() throws {
    if CorrectedSetWriter.Form(of: output) == .list { try OutputFiles.tryOut([output], inputs: [table, data]) }
    let source = try ImageSet.open(data)
    Notes.show(source.notes)
    let corrections = try Corrections(CorrectionTable(path: table), of: source)
    let images = corrections.images(of: source)
    let progress = WorkProgress("images")
    try CorrectedSetWriter(images, of: source, to: output)
      .write(workers: workers ?? ProcessInfo.processInfo.activeProcessorCount) { progress.show($0, of: $1) }
    let counts = corrections.counts
    Terminal.print(
      line: "written  \(output): \(images.count.counted("image")) of \(images.classNames.count.grouped) people; "
        + "\(counts.removed.counted("image")) left out, \(counts.moved.grouped) moved, "
        + "\(counts.joinedPeople.grouped) people joined to others, \(counts.keptLines.counted("line")) kept as they are"
    )
  }
}
