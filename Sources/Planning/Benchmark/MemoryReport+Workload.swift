import Distributed
import MPI
import NeuralNetwork
import Training

extension MemoryReport {
  /// Of a rank that computes a workload's steps.
  init(_ workload: StepWorkload, _ settings: StepSettings, ranks: Int) {
    let network = NetworkFootprint(
      workload.kind, embeddingWidth: workload.embedding, inputSide: workload.inputSide, dropout: workload.dropout,
      recomputes: workload.recomputes, batch: workload.batchSize)
    var own = Settings(classCount: workload.classes, batch: workload.batchSize, imageSide: workload.inputSide)
    (own.classifier, own.sampling, own.bucketBytes) = (settings.classifier, settings.sampling, settings.bucketBytes)
    (own.ranks, own.threads, own.loadedBatches) = (ranks, Parallel.threads, 1)
    own.copiesCheckpoints = false
    self.init(network, own)
  }
}
