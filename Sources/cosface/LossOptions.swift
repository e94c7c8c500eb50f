import ArgumentParser
import NeuralNetwork
import Training

/// The margin and the scale of the logits, as every command that trains takes them.
struct LossOptions: ParsableArguments {
  @Option(
    of: \.$marginKind,
    help: """
      What the margin changes at the right class: cosine (CosFace: cosine - margin), angular (ArcFace: the cosine of angle \
      + margin), or combined (the cosine of multiplier x angle + margin angle, less margin).
      """)
  var marginKind: MarginKind

  @Option(
    of: \.$margin,
    help: """
      The margin, 0.35 unless given: subtracted from the cosine, from 0.5 on with --allow-large-margin only; of kind \
      angular in radians, 0.5 unless given; of kind combined 0 unless given
      """)
  var margin: Double?

  @Option(
    of: \.$marginMultiplier,
    help: "Of kind combined: what the angle is multiplied with (SphereFace's m), 1 unless given")
  var marginMultiplier: Double?

  @Option(
    of: \.$marginAngle,
    help: "Of kind combined: radians that are added to the angle (ArcFace's m), 0 unless given")
  var marginAngle: Double?

  @Flag(of: \.$allowLargeMargin, help: "Accept a margin of the cosine in [0.5, 1].")
  var allowLargeMargin: Bool

  @Option(
    of: \.$logitMultiplier,
    help:
      "Learned scale: the logits are this times the inner product with the class weight, whose row norm training moves."
  )
  var logitMultiplier: Double?

  @Option(
    of: \.$logitScale,
    help: """
      Fixed scale s of the logits, whatever norm the rows have (the paper's s). Without a scale of either kind it is chosen \
      by the number of people: 14 for 60, 24 for 7,000, 35 for a million; in replay and bench the learned one of multiplier 1
      """)
  var logitScale: Double?

  func validate() throws { try refuseConflicts() }
}
