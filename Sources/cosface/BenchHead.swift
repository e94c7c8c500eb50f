import ArgumentParser
import Inference
import Planning
import Training

struct BenchHead: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "head", abstract: "The classifier's part of a step alone.")

  @OptionGroup var loss: LossOptions
  @OptionGroup var options: BenchOptions

  @Option(Limits.batchSize, help: "Embeddings in a step.")
  var batchSize = 64

  @Option(Limits.classes, help: "Classes.")
  var classes = 100_000

  @Option(Limits.embedding, help: "Width of the embedding.")
  var embedding = 512

  @Option(Limits.measuredSteps, help: "Steps to measure.")
  var steps = 5

  func run() throws {
    options.run { communicator in
      try BenchOptions.alone(communicator, "head")
      var benchmark = HeadBenchmark()
      benchmark.batchSize = batchSize
      benchmark.classes = classes
      benchmark.embedding = embedding
      benchmark.steps = steps
      benchmark.settings = try trainingOptions().stepSettings
      return try benchmark.run()
    }
  }
}
