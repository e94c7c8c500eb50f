import Datasets
package import NeuralNetwork

/// A number that is not finite, and where it arose: training stops there, and nothing is clamped to hide it.
package enum NonFinite: Error, Equatable, CustomStringConvertible {
  case parameter(String)
  case activation(String)
  case gradientNorm(Double)

  package var description: String {
    switch self {
    case .parameter(let name): "the first parameter that is not finite is \(name)"
    case .activation(let name): "the first activation that is not finite is the output of \(name)"
    case .gradientNorm(let norm): "the norm of the whole gradient is \(norm)"
    }
  }

  /// The first culprit: a parameter, else the output of a layer in the forward pass over `pass`'s images.
  package static func find(
    in network: Network, classWeight: Parameter?, companions: [ParameterStore] = [], pass: Pass?
  ) -> NonFinite? {
    let parameters =
      network.layers.flatMap { $0.parameters + $0.statistics } + (classWeight.map { [$0] } ?? [])
      + companions.flatMap(\.parameters)
    if let broken = parameters.first(where: { $0.value.contains { !$0.isFinite } }) { return .parameter(broken.name) }
    return pass?.firstNonFiniteLayer().map { .activation($0) }
  }
}

extension TrainingError {
  /// A sample whose loss cannot be computed: which image it is, and where the bad value arose.
  static func of(
    _ error: HeadError, in step: TrainingStep, _ batch: Batch, of images: any ImageSource
  ) -> TrainingError {
    let image = error.sample.map { images.identifier(of: Int(batch.samples[step.firstSample + $0])) }
    let pass = error.sample == nil ? nil : step.pass(batch: step.batchSize)
    let culprit = NonFinite.find(
      in: step.network, classWeight: step.classWeight.parameter, companions: step.companions, pass: pass)
    return of(culprit, in: step, batch, image.map { "Image \($0.printableName): \(error)" } ?? error.description)
  }

  static func of(
    _ culprit: NonFinite?, in step: TrainingStep, _ batch: Batch, _ problem: String = ""
  ) -> TrainingError {
    .badValue(
      step: batch.step, epoch: batch.epoch, rank: step.communicator.rank, problem: problem,
      cause: culprit.map { "\($0.description.prefix(1).uppercased() + $0.description.dropFirst())." } ?? "")
  }
}
