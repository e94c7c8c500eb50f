/// How a parameter starts.
package enum Initializer: Sendable, Equatable {
  case constant(Float)
  /// Normal with the given standard deviation: arcface_torch's IResNet convolutions (0.1).
  case normal(standardDeviation: Float)
  /// Uniform in (-bound, bound), bound = 1 / sqrt(fan-in): PyTorch's default of `nn.Conv2d` and `nn.Linear`,
  /// which is kaiming_uniform_(a = sqrt(5)), and of their biases.
  case uniformFanIn(Int)
  /// Normal with variance 2 / (fan-in + fan-out): Glorot and Bengio 2010, equation 12 for the variance.
  case xavierNormal(fanIn: Int, fanOut: Int)
  /// Normal with variance 2 / fan-out: He et al. 2015, arcface_torch's MobileFaceNet convolutions (mode fan_out).
  case kaimingNormal(fan: Int)
}
