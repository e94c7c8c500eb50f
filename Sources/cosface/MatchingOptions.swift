import ArgumentParser
import Inference
import Training

/// How two faces are matched, as the commands that do it take it.
struct MatchingOptions: ParsableArguments {
  @Option(Limits.threshold, help: "Least cosine at which two images count as one person; the run's own unless given.")
  var threshold: Double?

  @Flag(help: "Print one JSON object.")
  var json = false

  func options(_ inference: InferenceOptionGroup) -> InferenceOptions {
    var options = InferenceOptions(model: inference.named.model)
    options.assumedModel = inference.named.assumed
    options.flip = inference.flip
    options.threshold = threshold
    options.batchSize = inference.batchSize
    options.workers = inference.workers
    return options
  }
}
