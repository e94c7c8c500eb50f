package import Distributed
import Files
package import MPI
package import NeuralNetwork
import VectorKernels
import Weights

/// Trains on recorded batches from recorded weights, so that anyone can compare the losses and the weights with
/// those of another program: the twin of a dozen lines of PyTorch.
///
/// Weights: the network's parameters and running statistics under arcface_torch's names, and `classWeight` (N, K).
/// Batches: `images` (steps, M, 3, S, S) as the network sees them, `labels` (steps, M).
package struct Replay {
  package struct Line: Codable, Equatable, Sendable {
    package let step: Int
    package let loss: Double
    /// The norm of the class weight's rows after the step.
    package let scale: Double
  }

  private let kind: NetworkKind
  private let step: TrainingStep
  private let batches: SafetensorsFile
  private let steps: Int
  private let batchSize: Int
  private let imageCount: Int

  package init(
    _ kind: NetworkKind, weights path: String, batches batchPath: String, settings: StepSettings,
    communicator: Communicator
  ) throws {
    self.kind = kind
    let weights = try SafetensorsFile(path: path)
    batches = try SafetensorsFile(path: batchPath)
    let images = try batches.shape(of: "images")
    let labels = try batches.shape(of: "labels")
    guard images.count == 5, images[2] == 3, images[3] == images[4], images[3] % 16 == 0, images[3] > 0 else {
      throw ModelFileError(
        path: batchPath, reason: "has images of shape \(images), not (steps, M, 3, S, S), S a multiple of 16")
    }
    guard labels == Array(images[..<2]), images[0] > 0, images[1] > 0 else {
      throw ModelFileError(path: batchPath, reason: "has labels of shape \(labels) for images of \(images)")
    }
    guard images[1] >= communicator.size else {
      throw ModelFileError(
        path: batchPath, reason: "has \(images[1]) samples a step for \(communicator.size) ranks; use fewer ranks")
    }
    (steps, batchSize, imageCount) = (images[0], images[1], 3 * images[3] * images[3])
    let classWeight = try weights.shape(of: "classWeight")
    guard classWeight.count == 2, classWeight[0] >= 2, classWeight[1] > 0, classWeight[1] % 16 == 0 else {
      throw ModelFileError(
        path: path, reason: "has a classWeight of shape \(classWeight), not (N, K), K a multiple of 16")
    }
    let network = kind.makeNetwork(embeddingWidth: classWeight[1], inputSide: images[3])
    try ModelFile.load(network, from: weights)
    let capacity = (batchSize + communicator.size - 1) / communicator.size
    step = try TrainingStep(
      network, classCount: classWeight[0], capacity: capacity, settings: settings, communicator: communicator)
    try weights.copyFloats(of: "classWeight", shape: classWeight, into: step.classWeight.value)
    try step.synchronize()
  }

  /// Trains through all batches, each divided among the ranks; every rank gets every line.
  package func run(learningRate: Double, _ report: (Line) throws -> Void) throws {
    let communicator = step.communicator
    let images = try batches.floats(of: "images")
    let labels = try batches.integers(of: "labels")
    let share = Share.range(of: batchSize, communicator.rank, communicator.size)
    for index in 0..<steps {
      let samples = (index * batchSize + share.lowerBound)..<(index * batchSize + share.upperBound)
      let mine = labels[samples].map { Int32(clamping: $0) }
      let part = try images[(samples.lowerBound * imageCount)..<(samples.upperBound * imageCount)]
        .withUnsafeBufferPointer { images in
          try mine.withUnsafeBufferPointer { labels in
            try step.run(
              [MicroBatch(images: images, labels: labels)], index: index, count: batchSize, learningRate: learningRate)
          }
        }
      try report(Line(step: index, loss: communicator.orderedSum(part), scale: step.classWeight.scale))
    }
  }

  /// Writes the trained weights, under the names that they were read with.
  package func write(to path: String) throws {
    step.classWeight.materialize()
    let network = step.network
    let description = ModelDescription(
      network: kind, embeddingWidth: network.embeddingWidth, inputSide: network.inputShape.height, step: steps)
    try ModelFile.write(network, classWeight: step.classWeight.parameter, description, to: path)
  }
}
