import ArgumentParser
import Files
import Inference

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Tell whether two photographs show the same person.",
    discussion: """
      The photographs should be aligned as the training images were. Without --threshold that of the run decides: the \
      best one for the pairs that the network was evaluated on last, by validation at the end of training or by \
      'cosface evaluate --keep-threshold'.
      """)

  @Argument(help: "A photograph.")
  var first: String

  @Argument(help: "Another photograph.")
  var second: String

  @OptionGroup var inference: InferenceOptionGroup

  @OptionGroup var matching: MatchingOptions

  func run() throws {
    inference.run { communicator in
      let comparison = try FaceComparison(first, second, matching.options(inference), communicator)
      guard communicator.rank == 0 else { return }
      try matching.json ? Terminal.print(json: comparison) : Terminal.print("\(comparison)")
    }
  }
}
