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

  func run() throws {
    options.run { communicator in
      var benchmark = StepBenchmark(work.workload)
      benchmark.steps = steps
      benchmark.settings.classifier = classifier.classifier
      benchmark.settings.sampling = classifier.sampleRate.map { ClassSampling(rate: $0, seed: 1) }
      if classifier.sampleRate != nil && !classifier.forceSampleRate {
        try ClassSampling.check(classCount: work.classes)
      }
      benchmark.settings.margin = loss.setting
      benchmark.settings.logitScale = loss.scale(defaultMultiplier: 32)
      try optimizer.fill(&benchmark.settings)
      benchmark.settings.bucketBytes = work.bucketBytes
      benchmark.settings.gradientType = work.gradientType
      return try benchmark.run(communicator)
    }
  }
}
