import ArgumentParser
import NeuralNetwork
import Training

/// The margin and the scale of the logits, as every command that trains takes them.
struct LossOptions: ParsableArguments {
  @Option(
    help: """
      What the margin changes at the right class: cosine (CosFace: cosine - margin), angular (ArcFace: the cosine of angle \
      + margin), or combined (the cosine of multiplier x angle + margin angle, less margin).
      """)
  var marginKind = Margin.Kind.cosine

  @Option(
    Limits.margin,
    help: """
      The margin, 0.35 unless given: subtracted from the cosine, from 0.5 on with --allow-large-margin only; of kind \
      angular in radians, 0.5 unless given; of kind combined 0 unless given
      """)
  var margin: Double?

  @Option(
    Limits.marginMultiplier,
    help: "Of kind combined: what the angle is multiplied with (SphereFace's m), 1 unless given")
  var marginMultiplier: Double?

  @Option(Limits.margin, help: "Of kind combined: radians that are added to the angle (ArcFace's m), 0 unless given")
  var marginAngle: Double?

  @Flag(help: "Accept a margin of the cosine in [0.5, 1].")
  var allowLargeMargin = false

  @Option(
    Limits.logitScale,
    help:
      "Learned scale: the logits are this times the inner product with the class weight, whose row norm training moves."
  )
  var logitMultiplier: Double?

  @Option(Limits.logitScale, help: "Fixed scale s of the logits, whatever norm the rows have (the paper's s).")
  var logitScale: Double?

  func validate() throws {
    guard marginKind == .angular || allowLargeMargin || value < 0.5 else {
      throw ValidationError(
        "--margin \(value) must be from 0 to less than 0.5, or up to 1 with --allow-large-margin.")
    }
    guard marginKind != .angular || !allowLargeMargin else {
      throw ValidationError(
        "--allow-large-margin is for margins of the cosine: with --margin-kind angular leave it out.")
    }
    guard marginKind == .combined || (marginMultiplier == nil && marginAngle == nil) else {
      throw ValidationError("--margin-multiplier and --margin-angle go with --margin-kind combined.")
    }
    guard marginKind != .combined || marginMultiplier != nil || marginAngle != nil else {
      throw ValidationError(
        "--margin-kind combined needs --margin-multiplier or --margin-angle: without them it is the kind cosine.")
    }
    guard logitMultiplier == nil || logitScale == nil else {
      throw ValidationError("--logit-multiplier and --logit-scale exclude each other: give one.")
    }
  }

  /// `--margin`, or what stands for it.
  var value: Double { margin ?? marginKind.usual }

  var setting: Margin { Margin(marginKind, value, multiplier: marginMultiplier, angle: marginAngle) }

  func scale(defaultMultiplier: Double) -> LogitScale {
    if let logitScale { return .fixed(logitScale) }
    return .learned(multiplier: logitMultiplier ?? defaultMultiplier)
  }
}

extension Margin.Kind: ExpressibleByArgument {}
