import ArgumentParser

struct Cosface: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cosface",
    abstract: "Trains face-recognition networks with the large margin cosine loss on CPU clusters.",
    subcommands: [
      TrainCommand.self,
      EvaluateCommand.self,
      ReportCommand.self,
      ReplayCommand.self,
      InspectCommand.self,
      BenchCommand.self,
    ])
}
