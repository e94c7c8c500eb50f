import ArgumentParser
import Inference
import Planning
import Training

struct BenchInfer: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "infer", abstract: "Embeddings of made-up images, from pixels in memory to embeddings in memory.")

  @OptionGroup var network: NetworkOptions
  @OptionGroup var options: BenchOptions

  @Option(Limits.batchSize, help: "Images at once.")
  var batchSize = 1

  @Option(Limits.measuredSteps, help: "Batches to measure.")
  var steps = 30

  func validate() throws {
    guard network.dropout == 0 else {
      throw ValidationError("--dropout is of no use here: only training drops out. Leave it out, or see 'bench step'.")
    }
  }

  func run() throws {
    options.run { communicator in
      try BenchOptions.alone(communicator, "infer")
      var benchmark = InferenceBenchmark(network.network)
      benchmark.inputSide = network.inputSize
      benchmark.embedding = network.embedding
      benchmark.dropout = network.dropout
      benchmark.batchSize = batchSize
      benchmark.steps = steps
      return try benchmark.run()
    }
  }
}
