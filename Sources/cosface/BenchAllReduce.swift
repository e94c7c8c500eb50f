import ArgumentParser
import Distributed
import Planning
import Training

struct BenchAllReduce: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "allreduce", abstract: "Sums over all ranks, message by message; to be run under mpirun.")

  @OptionGroup var options: BenchOptions

  @Option(Limits.megabytes, help: "Megabytes of the largest message.")
  var megabytes = 64

  @Option(Limits.measuredSteps, help: "Sums of each size to measure.")
  var steps = 10

  @Option(help: "Element type of the gradients that ranks send: float32, bfloat16.")
  var gradientType = GradientType.float32

  func run() throws {
    options.run { communicator in
      var benchmark = AllReduceBenchmark()
      benchmark.largestBytes = megabytes << 20
      benchmark.steps = steps
      benchmark.gradientType = gradientType
      return try benchmark.run(communicator)
    }
  }
}
