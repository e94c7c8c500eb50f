import ArgumentParser
import Files

struct DatasetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dataset",
    abstract: "Make sets of faces, and tell what they hold.",
    discussion: """
      Sets are folders of people (DIR/PERSON/IMAGE), RecordIO files as InsightFace and MXNet have them (a .rec, or a folder \
      with train.rec), lists of files ('path label' a line, or im2rec's .lst), and for evaluation InsightFace's .bin files.
      """,
    subcommands: [
      DatasetInfoCommand.self,
      DatasetCheckCommand.self,
      DatasetPackCommand.self,
      DatasetUnpackCommand.self,
      DatasetAlignCommand.self,
      DatasetCleanCommand.self,
      DatasetApplyCommand.self,
    ])
}

/// How the subcommands print.
enum DatasetOutput {
  static func print(_ value: some Encodable, _ lines: [(name: String, value: String)], json: Bool) throws {
    if json { return try Terminal.print(json: value) }
    for line in TextTable.lines(lines.map { [$0.name, $0.value] }) { Terminal.print(line: line) }
  }
}
