import ArgumentParser

struct DatasetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dataset",
    abstract: "Make sets of faces, and tell what they hold.",
    subcommands: [DatasetAlignCommand.self])
}
