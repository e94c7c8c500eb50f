import Files
package import MPI
import NeuralNetwork

extension MemoryReport {
  /// Of a rank of a run that is about to start.
  ///
  /// `capacity`: the most images of a micro-batch.
  init(_ options: TrainingOptions, capacity: Int, ranks: Int, _ data: TrainingData) {
    let step = options.stepSettings
    let network = NetworkFootprint(
      options.network, embeddingWidth: options.embedding, inputSide: options.inputSize, dropout: options.dropout,
      recomputes: options.recompute, batch: capacity, threads: options.threads)
    var settings = Settings(
      classCount: data.training.classNames.count, batch: capacity, imageSide: options.inputSize)
    settings.classifier = step.classifier
    settings.ranks = ranks
    settings.threads = options.threads
    settings.accumulates = options.gradientAccumulation > 1
    settings.clips = options.gradientClipping != nil
    settings.sampling = step.sampling
    settings.bucketBytes = step.bucketBytes
    settings.loadedBatch = data.order.maximumShard
    self.init(network, settings)
  }

  /// - Throws: `MemoryNeed` where this host has not the memory. Every rank calls it.
  package func check(of work: String, remedy: String, _ communicator: Communicator) throws {
    try MemoryNeed.check(totalBytes, of: work, remedy: remedy, ranks: communicator.placement().localSize)
  }
}
