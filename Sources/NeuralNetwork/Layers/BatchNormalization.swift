/// Batch normalization over channels (`BatchNorm2d` of images, `BatchNorm1d` of feature vectors), where wanted fused
/// with the PReLU that follows and with the addition of a residual: y = PReLU(BN(x)) + r.
///
/// m = values per channel, batch x height x width.
/// Training: mean and (biased) variance of the batch; the running ones move by `momentum`, the variance unbiased.
/// Evaluation: the running ones; in training too where weight and bias are frozen, and then they stay. Ioffe and Szegedy 2015;
/// He et al. 2015 for PReLU.
package final class BatchNormalization: Layer {
  package let name: String
  package let parameters: [Parameter]
  package let statistics: [Parameter]
  private let takesResidual: Bool

  static let epsilon = 1e-5
  static let momentum = 0.1

  let channels: Int
  var weight: Parameter { parameters[0] }
  var bias: Parameter { parameters[1] }
  /// PReLU's slope per channel.
  let slope: Parameter?
  var runningMean: Parameter { statistics[0] }
  var runningVariance: Parameter { statistics[1] }

  /// - Parameters:
  ///   - prelu: name of the PReLU that follows, nil for none.
  ///   - residual: the layer takes a second input and adds it.
  ///   - trainsWeight: false keeps the weight at 1 (arcface_torch's `features`).
  package init(
    _ name: String, channels: Int, prelu: String? = nil, residual: Bool = false, trainsWeight: Bool = true
  ) {
    self.name = name
    self.channels = channels
    slope = prelu.map { Parameter("\($0).weight", [channels], .constant(0.25)) }
    let own = [
      Parameter("\(name).weight", [channels], .constant(1), isTrained: trainsWeight),
      Parameter("\(name).bias", [channels], .constant(0)),
    ]
    parameters = own + (slope.map { [$0] } ?? [])
    statistics = [
      Parameter("\(name).running_mean", [channels], .constant(0), isTrained: false),
      Parameter("\(name).running_var", [channels], .constant(1), isTrained: false),
    ]
    takesResidual = residual
  }

  /// Neither weight nor bias is trained: a map of each value for itself.
  var isFrozen: Bool { !weight.isTrained && !bias.isTrained }
  package var movesStatistics: Bool { !isFrozen }

  package var traits: LayerTraits {
    var traits: LayerTraits = [.readsInput, .overwritesInput, .overwritesGradient, .imagewise]
    traits.formUnion(takesResidual ? [.addsSecondInput] : [.remakesOutput, .mapsChannels])
    if !isFrozen { traits.formUnion([.sumsGradients, .sumsOverBatch]) }
    if slope?.isTrained == true { traits.formUnion(.sumsGradients) }
    if isFrozen && slope?.isTrained == true { traits.formUnion(.sumsGradientsInBackward) }
    return traits
  }

  package var kind: LayerKind {
    LayerKind(.normalization, "norm").and(slope == nil ? nil : "prelu").and(takesResidual ? "add" : nil)
  }

  package func outputShape(_ given: [Shape]) -> Shape {
    precondition(given.allSatisfy { $0 == given[0] }, "\(name) adds a residual of another shape: \(given)")
    precondition(given[0].channels == channels, "\(name) over \(channels) channels given \(given[0])")
    return given[0]
  }

  package func bind(_ binding: Binding) -> any Operation {
    isFrozen && binding.mode == .training
      ? FrozenNormalizationOperation(self, binding) : BatchNormalizationOperation(self, binding)
  }

  /// a and b of the affine map of a channel by the running statistics: a = weight / sqrt(var + eps), b = bias - a mean.
  func runningMap(_ channel: Int) -> (a: Double, b: Double) {
    let q = 1 / (Double(runningVariance.value[channel]) + Self.epsilon).squareRoot()
    let a = Double(weight.value[channel]) * q
    return (a, Double(bias.value[channel]) - a * Double(runningMean.value[channel]))
  }
}
