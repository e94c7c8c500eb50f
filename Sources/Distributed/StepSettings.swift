package import NeuralNetwork

/// What one training step depends on, apart from weights and data.
package struct StepSettings: Sendable {
  package var classifier = ClassifierKind.replicated
  /// Of sharded classes: a step knows its samples' and a sample of the others; nil for all.
  package var sampling: ClassSampling?
  package var margin = Margin.cosine(0.35)
  package var logitScale = LogitScale.learned(multiplier: 32)
  package var momentum = 0.9
  package var isNesterov = false
  package var weightDecay = 5e-4
  /// It would pull on the scale, so 0 unless asked for.
  package var classWeightDecay = 0.0
  /// Largest global norm of the gradient; nil leaves it as it is.
  package var gradientClipping: Double?
  /// Bytes of gradients that one allreduce carries.
  package var bucketBytes = 4 << 20
  /// As what gradients travel between ranks.
  package var gradientType = GradientType.float32

  package init() {}
}

/// Element type of gradients on the wire, between ranks. They are added in Float either way.
public enum GradientType: String, Codable, CaseIterable, Sendable {
  case float32
  /// Half the bytes: each rank's gradient, and their sum, are rounded to 8 bits of precision.
  case bfloat16

  /// Bytes of an element on the wire.
  package var bytes: Int { self == .float32 ? 4 : 2 }
}
