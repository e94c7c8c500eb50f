import ArgumentParser
import Datasets
import Planning
import Training

struct BenchData: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Reading, decoding and augmenting the images of a folder.")

  @OptionGroup var options: BenchOptions

  @Option(help: "Folder of people, .rec, or list of files.")
  var data: String

  @Option(Limits.threads, help: "Threads that decode.")
  var workers = 1

  @Option(help: "Augmentation: \(Augmentation.allCases.map(\.rawValue).joined(separator: ", ")).")
  var augment = Augmentation.standard

  @Option(Limits.storedSide, help: "Side of the images in pixels; images of other sizes are resized.")
  var inputSize = 112

  @Option(Limits.batchSize, help: "Images of a batch.")
  var batchSize = 64

  @Option(Limits.measuredSteps, help: "Batches to measure.")
  var steps = 20

  func run() throws {
    options.run { communicator in
      try BenchOptions.alone(communicator, "data")
      var benchmark = DataBenchmark(folder: data)
      benchmark.workers = workers
      benchmark.augmentation = augment
      benchmark.inputSide = inputSize
      benchmark.batchSize = batchSize
      benchmark.steps = steps
      return try benchmark.run()
    }
  }
}
