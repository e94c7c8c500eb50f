import ArgumentParser
import Datasets

struct DatasetInfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info", abstract: "Tell what a set holds, without decoding its images.")

  @Argument(help: "Folder of people, .rec or a folder with train.rec, list of files, or .bin.")
  var path: String

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws { try Requirement.oneProcess("dataset info", workers: false) }

  func run() throws {
    let info = try DatasetInfo(path: path)
    try DatasetOutput.print(info, info.lines, json: json)
  }
}
