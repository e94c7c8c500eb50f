import ArgumentParser
import Files
import Inference

struct GalleryRemoveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Remove people's rows from a gallery; the others' stay as they are.")

  @Option(help: "The gallery: a .safetensors that 'cosface embed' wrote.")
  var gallery: String

  @Option(parsing: .upToNextOption, help: "Names of people to remove.")
  var person: [String]

  func run() throws {
    try OutputFiles.tryOut([gallery])
    let file = try GalleryFile(path: gallery)
    let people = Set(person.map { Name($0) })
    let count = try file.remove(person.map { Name($0) })
    Terminal.print(
      line: "removed   \(count.counted("row")); \(gallery) has \((file.labels.count - count).counted("row")) of "
        + "\((file.people.count - people.count).grouped) people")
  }
}
