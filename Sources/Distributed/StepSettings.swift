package import NeuralNetwork

/// What one training step depends on, apart from weights and data.
package struct StepSettings: Sendable {
  package var classifier = ClassifierKind.replicated
  /// Sharded only: which classes a step computes besides those of its samples; nil for all.
  package var sampling: ClassSampling?
  package var margin = Margin.cosine(0.35)
  package var logitScale = LogitScale.learned(multiplier: 32)
  /// What 1 - cosine to a teacher's embedding counts in the loss.
  package var teacherWeight = 1.0
  package var optimizer = Optimizer.sgd(SGD())
  package var weightDecay = 5e-4
  /// 0 unless asked for: it would pull on the scale.
  package var classWeightDecay = 0.0
  /// What the learning rate of these parameters of the network is multiplied with; of others 1.
  package var rateFactors: [String: Double] = [:]
  /// So many steps at the run's start train the class weight alone.
  package var headSteps = 0
  /// A gradient of a larger norm is scaled down to this one; nil for no clipping.
  package var gradientClipping: Double?
  /// Bytes of gradients that one allreduce carries.
  package var bucketBytes = 4 << 20
  /// Element type of gradients on the wire.
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
