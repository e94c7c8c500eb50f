import ArgumentParser
import FaceRecognition

struct BenchHead: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "head", abstract: "The classifier's part of a step alone.")

  @OptionGroup var loss: LossOptions
  @OptionGroup var options: BenchOptions

  @Option(help: "Embeddings in a step.")
  var batchSize = 64

  @Option(help: "Classes.")
  var classes = 100_000

  @Option(help: "Width of the embedding, a multiple of 16.")
  var embedding = 512

  @Option(help: "Steps to measure.")
  var steps = 5

  func validate() throws {
    try Validation.atLeast(1, "--batch-size", batchSize)
    try Validation.atLeast(2, "--classes", classes)
    try Validation.multipleOf16("--embedding", embedding)
    try Validation.atLeast(1, "--steps", steps)
  }

  func run() throws {
    options.run { communicator in
      try BenchOptions.alone(communicator, "head")
      var benchmark = HeadBenchmark()
      benchmark.batchSize = batchSize
      benchmark.classes = classes
      benchmark.embedding = embedding
      benchmark.steps = steps
      benchmark.settings.margin = loss.margin
      benchmark.settings.logitScale = loss.scale(defaultMultiplier: 32)
      return try benchmark.run()
    }
  }
}
