import ArgumentParser
import NeuralNetwork
import Training

struct OptimizationOptions: ParsableArguments {
  @Option(Limits.batchSize, help: "Samples per rank that go through the network at once.")
  var batchSize = 32

  @Option(Limits.gradientAccumulation, help: "Batches whose gradients are added up for one step.")
  var gradientAccumulation = 1

  @Flag(
    help: """
      For batches that do not fit: make again in backward what batch normalizations made, instead of keeping it. The \
      same results to the bit in less memory, and at most a few per cent slower. A MobileFaceNet keeps little of it anyway.
      """)
  var recompute = false

  @Option(Limits.epochs, help: "Epochs to train (20 unless --steps is given).")
  var epochs: Double?

  @Option(Limits.steps, help: "Steps to train, instead of epochs.")
  var steps: Int?

  @Option(Limits.learningRate, help: "Learning rate after the warm-up.")
  var learningRate = 0.1

  @Option(
    help:
      "How the learning rate goes down: constant, step (see --milestones), polynomial (to 0, power 2) or cosine (to 0)."
  )
  var schedule = ScheduleName.polynomial

  @Option(severalUpToNextOption: "Of --schedule step: where the rate falls to a tenth, such as 10e 16e.")
  var milestones: [TrainingLength] = []

  @Option(help: "Linear warm-up of the learning rate.")
  var warmup = TrainingLength.steps(0)

  @Option(Limits.momentum, help: "Momentum of SGD.")
  var momentum = 0.9

  @Flag(help: "Nesterov's momentum.")
  var nesterov = false

  @Option(Limits.weightDecay, help: "Weight decay of the network.")
  var weightDecay = 5e-4

  @Option(Limits.weightDecay, help: "Weight decay of the class weight; it pulls on the scale.")
  var classWeightDecay = 0.0

  @Option(
    Limits.rowNorm,
    help: "Norm that all rows of the class weight start with; 1, or that of the rows of --weights, unless given.")
  var classWeightNorm: Double?

  @Option(Limits.gradientClipping, help: "Largest norm of the whole gradient; a longer one is scaled down.")
  var gradientClipping: Double?

  func validate() throws {
    guard epochs == nil || steps == nil else { throw ValidationError("Give --epochs or --steps, not both.") }
    guard !nesterov || momentum > 0 else { throw ValidationError("--nesterov needs a --momentum above 0.") }
    guard (schedule == .step) == !milestones.isEmpty else {
      throw ValidationError("--schedule step and --milestones belong together.")
    }
  }

  func fill(_ options: inout TrainingOptions) throws {
    options.batchSize = batchSize
    options.gradientAccumulation = gradientAccumulation
    options.recompute = recompute
    options.length = steps.map { .steps($0) } ?? .epochs(epochs ?? 20)
    options.learningRate = learningRate
    options.schedule = schedule
    options.milestones = milestones
    options.warmup = warmup
    options.momentum = momentum
    options.nesterov = nesterov
    options.weightDecay = weightDecay
    options.classWeightDecay = classWeightDecay
    options.classWeightNorm = classWeightNorm
    options.gradientClipping = gradientClipping
  }
}

extension ScheduleName: ExpressibleByArgument {}
