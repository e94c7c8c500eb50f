import ArgumentParser
import Distributed
import Planning
import Training

struct BenchStep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "step", abstract: "Whole training steps on made-up images; under mpirun on all ranks.",
    discussion: """
      With --layers a table follows, of rank 0: for each layer the milliseconds of forward, of backward by data (to \
      its input's gradient) and by weights (to its parameters' gradients), and of the update. Where threads work in \
      different layers at once, what they spend in a layer is divided by their number. GFLOP/s count the direct sums \
      of products, also where Winograd's filtering makes fewer. The limit of a layer is the longer of two times: \
      that of its operations at the rate of a large matrix product (p), and that of its bytes, each read and written \
      once, at the memory's bandwidth (m). More than 100 % is possible: by Winograd's filtering, or where a value is \
      still in the cache. A batch normalization's sums over the batch count as its backward by weights. All are \
      medians of the steps with clocks; as many steps without, in turns with them, show what the clocks cost.
      """)

  @OptionGroup var work: WorkloadOptions
  @OptionGroup var loss: LossOptions
  @OptionGroup var optimizer: OptimizerOptions
  @OptionGroup var classifier: ClassifierOptions
  @OptionGroup var options: BenchOptions

  @Option(Limits.measuredSteps, help: "Steps to measure.")
  var steps = 10

  @Flag(help: "Tell each layer's time and share of its limit, too.")
  var layers = false

  func validate() throws { try refuseConflicts(usual: .sgd) }

  func run() throws {
    options.run { communicator in
      var benchmark = try StepBenchmark(work.workload())
      benchmark.steps = steps
      benchmark.measuresLayers = layers
      benchmark.settings = try trainingOptions().stepSettings
      if classifier.sampleRate != nil && !classifier.forceSampleRate {
        try ClassSampling.check(classCount: work.classes)
      }
      return try benchmark.run(communicator)
    }
  }
}
