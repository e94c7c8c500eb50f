import Distributed
import NeuralNetwork

/// What a teacher adds to a step: its part of the loss, and the map to its embeddings, which is trained beside the network.
final class Teaching {
  /// This rank's part of the mean cosine to the teacher's embeddings in the last step.
  private(set) var cosine = 0.0
  var store: ParameterStore { distillation.store }
  var teacherWidth: Int { distillation.teacherWidth }

  private let distillation: Distillation
  private let update: ParameterUpdate

  /// - Parameters:
  ///   - width: of the network's embeddings.
  ///   - capacity: the largest micro-batch.
  init(width: Int, teacherWidth: Int, capacity: Int, settings: StepSettings) {
    distillation = Distillation(
      width: width, teacherWidth: teacherWidth, weight: settings.teacherWeight, capacity: capacity)
    let decay = Float(settings.weightDecay)
    update = ParameterUpdate(distillation.store, settings.optimizer.ofElements, weightDecay: { _ in decay })
  }

  func initialize(seed: UInt64) { distillation.initialize(seed: seed) }

  func begin() {
    store.zeroGradients()
    cosine = 0
  }

  /// This rank's part of the loss: how far a micro-batch's embeddings are from the teacher's.
  func forward(_ embeddings: UnsafePointer<Float>, _ batch: MicroBatch, of count: Int) throws -> Double {
    guard let teacher = batch.teacher else { preconditionFailure("A batch without its teacher's embeddings") }
    let part = try distillation.forward(embeddings, teacher: teacher, batch: batch.count, count: count)
    cosine += part.cosine
    return part.loss
  }

  /// Adds the last forward's gradient to that of the embeddings.
  func addGradient(to gradient: UnsafeMutablePointer<Float>) { distillation.addGradient(to: gradient) }

  /// The map's gradient is whole on this rank.
  func sum(by reducer: GradientReducer) throws {
    if store.trainedCount > 0 { try reducer.start(store.gradients, .teacherMap) }
  }

  func update(_ step: UpdateStep) { update.run(step) }
}
