import ArgumentParser
import FaceRecognition
import NeuralNetwork

/// The margin and the scale of the logits, as every command that trains takes them.
struct LossOptions: ParsableArguments {
  @Option(
    Limits.margin,
    help: "Margin subtracted from the cosine of the right class; from 0.5 on with --allow-large-margin only.")
  var margin = 0.35

  @Flag(help: "Accept a margin in [0.5, 1].")
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
    guard allowLargeMargin || margin < 0.5 else {
      throw ValidationError("--margin \(margin) must be from 0 to less than 0.5, or up to 1 with --allow-large-margin.")
    }
    guard logitMultiplier == nil || logitScale == nil else {
      throw ValidationError("--logit-multiplier and --logit-scale exclude each other: give one.")
    }
  }

  func scale(defaultMultiplier: Double) -> LogitScale {
    if let logitScale { return .fixed(logitScale) }
    return .learned(multiplier: logitMultiplier ?? defaultMultiplier)
  }
}
