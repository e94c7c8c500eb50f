import ArgumentParser
import FaceRecognition

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Tell whether two photographs show the same person.",
    discussion: """
      The photographs should be aligned as the training images were. Without --threshold that of the run decides: the \
      best one for the pairs that the network was judged by last, by validation at the end of training or by \
      'cosface evaluate --keep-threshold'.
      """)

  @Argument(help: "A photograph.")
  var first: String

  @Argument(help: "Another photograph.")
  var second: String

  @OptionGroup var inference: InferenceOptionGroup

  @Option(help: "Cosine from which on the two show the same person.")
  var threshold: Double?

  @Flag(inversion: .prefixedNo, help: "Add the embedding of the mirrored image to each image's.")
  var flip = true

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    if let threshold { try Validation.cosine("--threshold", threshold) }
  }

  func run() throws {
    inference.run { communicator in
      var options = InferenceOptions(model: inference.model)
      options.flip = flip
      options.threshold = threshold
      options.batchSize = inference.batchSize
      options.workers = inference.workers
      let comparison = try FaceComparison(first, second, options, communicator)
      if communicator.rank == 0 { print(json ? try JSONText.of(comparison) : "\(comparison)") }
    }
  }
}
