import Datasets
import NeuralNetwork

extension TrainingError {
  /// A sample whose loss cannot be computed: which image it is, and where the bad value arose.
  static func of(
    _ error: HeadError, in step: TrainingStep, _ batch: Batch, of images: any ImageSource
  ) -> TrainingError {
    let image = error.sample.map { images.identifier(of: Int(batch.samples[step.firstSample + $0])) }
    let pass = error.sample == nil ? nil : step.network.pass(batch: step.batchSize, .training)
    let culprit = NonFinite.find(in: step.network, classWeight: step.head.classWeight, pass: pass)
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
