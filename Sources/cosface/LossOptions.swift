import ArgumentParser
import NeuralNetwork

/// The margin and the scale of the logits, as every command that trains takes them.
struct LossOptions: ParsableArguments {
  @Option(help: "Margin subtracted from the cosine of the right class, in [0, 0.5).")
  var margin = 0.35

  @Flag(help: "Accept a margin in [0.5, 1].")
  var allowLargeMargin = false

  @Option(
    help:
      "Learned scale: the logits are this times the inner product with the class weight, whose row norm training moves."
  )
  var logitMultiplier: Double?

  @Option(help: "Fixed scale s of the logits, whatever norm the rows have (the paper's s).")
  var logitScale: Double?

  func validate() throws {
    let bound = allowLargeMargin ? "[0, 1]" : "[0, 0.5); up to 1 with --allow-large-margin"
    guard margin >= 0, allowLargeMargin ? margin <= 1 : margin < 0.5 else {
      throw ValidationError("--margin \(margin) is outside \(bound).")
    }
    guard logitMultiplier == nil || logitScale == nil else {
      throw ValidationError("--logit-multiplier and --logit-scale exclude each other: give one.")
    }
    if let logitMultiplier { try Validation.positive("--logit-multiplier", logitMultiplier) }
    if let logitScale { try Validation.positive("--logit-scale", logitScale) }
  }

  func scale(defaultMultiplier: Double) -> LogitScale {
    if let logitScale { return .fixed(logitScale) }
    return .learned(multiplier: logitMultiplier ?? defaultMultiplier)
  }
}
