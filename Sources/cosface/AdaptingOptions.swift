import ArgumentParser
import Training

/// What is trained of a network that has been trained before, when, and how fast.
struct AdaptingOptions: ParsableArguments {
  @OptionGroup var freezing: FreezingOptions

  @Option(
    of: \.$headEpochs,
    help: """
      Train the class weight alone for so many epochs first, with the network as it is; then all. 'plan --freeze backbone' \
      tells its time
      """)
  var headEpochs: Double?

  @Option(
    of: \.$backboneRateFactor,
    help: "The network's learning rate, relative to the class weight's; weight decay goes with the rate.")
  var backboneRateFactor: Double

  @Option(
    of: \.$rateFactor,
    help: "In its place for the parameters that a pattern names; the last that names one counts")
  var rateFactor: [RateFactor]
}

struct FreezingOptions: ParsableArguments {
  @Option(
    of: \.$freeze,
    help: """
      Parameters that stay as they are, by patterns of their names as a shell has them (inspect --tensors lists names); \
      norms: all batch normalizations; backbone: all of the network. They take no gradient, no optimizer's state and no message; frozen batch normalizations keep their \
      running statistics and normalize by them.
      """)
  var freeze: [String]
}
