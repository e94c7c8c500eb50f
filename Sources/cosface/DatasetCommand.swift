import ArgumentParser
import FaceRecognition
import Foundation

struct DatasetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dataset",
    abstract: "Make sets of faces, and tell what they hold.",
    discussion: """
      Sets are folders of people (DIR/PERSON/IMAGE), RecordIO files as InsightFace and MXNet have them (a .rec, or a folder \
      with train.rec), lists of files ('path label' a line, or im2rec's .lst), and for judging InsightFace's .bin files.
      """,
    subcommands: [
      DatasetInfoCommand.self,
      DatasetCheckCommand.self,
      DatasetPackCommand.self,
      DatasetUnpackCommand.self,
      DatasetAlignCommand.self,
    ])
}

/// How the subcommands print.
enum DatasetOutput {
  static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  static func table(_ lines: [(name: String, value: String)]) -> String {
    let width = (lines.map(\.name.count).max() ?? 0) + 2
    return lines.map { $0.name.padding(toLength: width, withPad: " ", startingAt: 0) + $0.value }
      .joined(separator: "\n")
  }
}
