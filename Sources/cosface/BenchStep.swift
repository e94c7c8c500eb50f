import ArgumentParser
import FaceRecognition
import NeuralNetwork

struct BenchStep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "step", abstract: "Whole training steps on made-up images; under mpirun on all ranks.")

  @OptionGroup var network: NetworkOptions
  @OptionGroup var loss: LossOptions
  @OptionGroup var classifier: ClassifierOptions
  @OptionGroup var options: BenchOptions

  @Option(help: "Images of each rank in a step.")
  var batchSize = 32

  @Option(help: "Classes.")
  var classes = 10_000

  @Option(help: "Steps to measure.")
  var steps = 10

  @Flag(help: "As train --recompute does: less memory for activations.")
  var recompute = false

  @Option(help: "Megabytes of gradients that travel together.")
  var bucketMegabytes = 4

  @Option(help: "As what gradients travel: float32, bfloat16.")
  var gradientType = GradientType.float32

  func validate() throws {
    try Validation.atLeast(2, "--batch-size", batchSize)
    try Validation.atLeast(2, "--classes", classes)
    try Validation.atLeast(1, "--steps", steps)
    try Validation.atLeast(1, "--bucket-megabytes", bucketMegabytes)
  }

  func run() throws {
    options.run { communicator in
      var benchmark = StepBenchmark(network.network)
      benchmark.inputSide = network.inputSize
      benchmark.embedding = network.embedding
      benchmark.dropout = network.dropout
      benchmark.recomputes = recompute
      benchmark.batchSize = batchSize
      benchmark.classes = classes
      benchmark.steps = steps
      benchmark.settings.classifier = classifier.classifier
      benchmark.settings.margin = loss.margin
      benchmark.settings.logitScale = loss.scale(defaultMultiplier: 32)
      benchmark.settings.bucketBytes = bucketMegabytes << 20
      benchmark.settings.gradientType = gradientType
      return try benchmark.run(communicator)
    }
  }
}
