import ArgumentParser
import Files

struct Cosface: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cosface",
    abstract: "Trains face-recognition networks with the large margin cosine loss on CPU clusters.",
    version: ProgramVersion.details,
    subcommands: [
      TrainCommand.self,
      EvaluateCommand.self,
      EmbedCommand.self,
      CompareCommand.self,
      IdentifyCommand.self,
      GalleryCommand.self,
      ReportCommand.self,
      ExportCommand.self,
      ReplayCommand.self,
      InspectCommand.self,
      DatasetCommand.self,
      BenchCommand.self,
      CheckCommand.self,
      PlanCommand.self,
    ])
}
