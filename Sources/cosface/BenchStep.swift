import ArgumentParser
import Distributed
import Planning
import Training

struct BenchStep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "step", abstract: "Whole training steps on made-up images; under mpirun on all ranks.")

  @OptionGroup var work: WorkloadOptions
  @OptionGroup var loss: LossOptions
  @OptionGroup var optimizer: OptimizerOptions
  @OptionGroup var classifier: ClassifierOptions
  @OptionGroup var options: BenchOptions

  @Option(Limits.measuredSteps, help: "Steps to measure.")
  var steps = 10

  func validate() throws { try refuseConflicts(usual: .sgd) }

  func run() throws {
    options.run { communicator in
      var benchmark = try StepBenchmark(work.workload())
      benchmark.steps = steps
      benchmark.settings = try trainingOptions().stepSettings
      if classifier.sampleRate != nil && !classifier.forceSampleRate {
        try ClassSampling.check(classCount: work.classes)
      }
      return try benchmark.run(communicator)
    }
  }
}
