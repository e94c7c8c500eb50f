import ArgumentParser
import Datasets
import Files

struct DatasetUnpackCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unpack",
    abstract: "Write the images of a .rec into a folder of people, or those of a .bin beside a list of its pairs.")

  @Argument(help: "A .rec, a folder with train.rec, or a .bin.")
  var input: String

  @Argument(help: "Folder to write: new, or empty.")
  var output: String

  func validate() throws { try Requirement.oneProcess("dataset unpack", workers: false) }

  func run() throws {
    let progress = WorkProgress("images")
    let count = try DatasetUnpacker(path: input, folder: output).run {
      progress.show($0, of: $1)
    }
    Terminal.print(line: "unpacked \(output): \(count) images")
  }
}
