import ArgumentParser
import NeuralNetwork
import Training

struct OptimizationOptions: ParsableArguments {
  @Option(of: \.$batchSize, help: "Samples per rank that go through the network at once.")
  var batchSize: Int

  @Option(of: \.$gradientAccumulation, help: "Batches whose gradients are added up for one step.")
  var gradientAccumulation: Int

  @Flag(
    of: \.$recompute,
    help: """
      For batches that do not fit: make again in backward what batch normalizations made, instead of keeping it. The \
      same results to the bit in less memory, and at most a few per cent slower. A MobileFaceNet keeps little of it anyway.
      """)
  var recompute: Bool

  @Option(Limits.epochs, help: "Epochs to train (20 unless --steps is given).")
  var epochs: Double?

  @Option(Limits.steps, help: "Steps to train, instead of epochs.")
  var steps: Int?

  @Option(
    of: \.$learningRate,
    help: """
      Learning rate after the warm-up. Unless given it follows the images of a step on all ranks, B: 0.002 sqrt(B / 64), at \
      most 0.004, with AdamW, and 0.1 sqrt(B / 64) with SGD
      """)
  var learningRate: Double?

  @Option(
    of: \.$schedule,
    help:
      "How the learning rate goes down: constant, step (see --milestones), polynomial (to 0, power 2) or cosine (to 0)."
  )
  var schedule: ScheduleName

  @Option(of: \.$milestones, help: "Of --schedule step: where the rate falls to a tenth, such as 10e 16e.")
  var milestones: [TrainingLength]

  @Option(
    of: \.$warmup,
    help: "Linear warm-up of the learning rate; an epoch, or a tenth of a run of less than ten epochs, unless given.")
  var warmup: TrainingLength?

  @OptionGroup var optimizer: OptimizerOptions

  @Option(
    of: \.$classWeightNorm,
    help: "Norm that all rows of the class weight start with; 1, or that of the rows of --weights, unless given.")
  var classWeightNorm: Double?

  @Option(of: \.$gradientClipping, help: "Largest norm of the whole gradient; a longer one is scaled down.")
  var gradientClipping: Double?

  func validate() throws {
    guard epochs == nil || steps == nil else { throw ValidationError("Give --epochs or --steps, not both.") }
  }
}
