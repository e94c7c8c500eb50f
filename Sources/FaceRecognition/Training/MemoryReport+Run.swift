import NeuralNetwork

extension MemoryReport {
  /// Of a rank of a run that is about to start.
  init(_ options: TrainingOptions, _ kind: NetworkKind, _ step: TrainingStep, _ data: TrainingData) {
    let network = NetworkFootprint(
      kind, embeddingWidth: options.embedding, inputSide: options.inputSize, dropout: options.dropout,
      recomputes: options.recompute, batch: step.capacity, threads: options.threads)
    var settings = Settings(
      classCount: data.training.classNames.count, batch: step.capacity, imageSide: options.inputSize)
    settings.classifier = step.settings.classifier
    settings.ranks = step.communicator.size
    settings.threads = options.threads
    settings.accumulates = options.gradientAccumulation > 1
    settings.clips = options.gradientClipping != nil
    settings.sampling = step.settings.sampling
    settings.bucketBytes = step.settings.bucketBytes
    settings.loadedBatch = data.order.maximumShard
    self.init(network, settings)
  }
}
