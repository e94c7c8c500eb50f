import ArgumentParser
import Datasets
import Files
import Foundation
import Training

struct DatasetCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Decode every image of a set, and tell what is wrong with it.",
    discussion: """
      Names images that cannot be read, the same picture twice, and people with one image. Exit code 0: every image \
      decodes and none is labelled as two people; 1: otherwise.
      """)

  @Argument(help: "Folder of people, .rec or a folder with train.rec, list of files, or .bin.")
  var path: String

  @Flag(help: "Print one JSON object, with every finding.")
  var json = false

  @Flag(
    help: """
      Where all is well, write digests beside a .rec (X.rec.catalog) or .bin (X.bin.xxh128): from then on changed bytes are \
      refused, where a flipped bit would else make another label.
      """)
  var seal = false

  @Option(Limits.threads, help: "Threads that read and decode; one for each core unless given.")
  var workers: Int?

  func validate() throws {
    try Requirement.oneProcess("dataset check", workers: true)
  }

  func run() throws {
    if seal { try DatasetSeal.tryOut(for: path) }
    let progress = WorkProgress("images")
    let check = try DatasetCheck(path: path, workers: workers ?? ProcessInfo.processInfo.activeProcessorCount) {
      progress.show($0, of: $1)
    }
    try DatasetOutput.print(check, check.text, json: json)
    guard check.isSound else { throw ExitCode.failure }
    if seal { Terminal.note("Wrote \(try DatasetSeal.write(for: path)).") }
  }
}
