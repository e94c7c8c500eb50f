import ArgumentParser

struct DatasetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dataset",
    abstract: "Make, examine and convert sets of face images.",
    subcommands: [
    ])
}
