import ArgumentParser
import Distributed
import Planning
import Training

/// What a step computes and exchanges that is measured or planned.
struct WorkloadOptions: ParsableArguments {
  @OptionGroup var network: NetworkOptions

  @Option(Limits.statisticsBatch, help: "Images of each rank in a step.")
  var batchSize = 32

  @Option(Limits.classes, help: "Classes.")
  var classes = 10_000

  @Flag(of: \.$recompute, help: "As train --recompute does: less memory for activations.")
  var recompute: Bool

  @OptionGroup var freezing: FreezingOptions

  @Option(of: \.$bucketMegabytes, help: "Megabytes of gradients that travel together.")
  var bucketMegabytes: Int

  @Option(of: \.$gradientType, help: "Element type of the gradients that ranks send: float32, bfloat16.")
  var gradientType: GradientType

  /// - Throws: for a pattern that names nothing.
  func workload() throws -> StepWorkload {
    var workload = StepWorkload(network.network)
    workload.inputSide = network.inputSize
    workload.embedding = network.embedding
    workload.dropout = network.dropout
    workload.batchSize = batchSize
    workload.classes = classes
    workload.recomputes = recompute
    try workload.freeze(freezing.freeze)
    return workload
  }

  var bucketBytes: Int { bucketMegabytes << 20 }
}
