package import Datasets
package import Files

/// What ends a training run.
package enum TrainingError: Error, Equatable, CustomStringConvertible {
  case outputHoldsRun(String)
  case runIsInUse(String, by: String)
  case singleSampleBatch(network: String)
  case tooManyBadImages(count: Int, limit: Int, images: [BadImage])
  case longHead(steps: Int, of: Int)
  case noTrace(FileError)
  case badValue(step: Int, epoch: Int, rank: Int, problem: String, cause: String)

  package var description: String {
    switch self {
    case .outputHoldsRun(let path):
      "\(path.printableName) already holds a run. Give another --output, or remove the folder."
    case .runIsInUse(let path, let holder):
      "The run '\(path.printableName)' is being trained by \(holder). Wait for it to end, or end it."
    case .singleSampleBatch(let network):
      "--batch-size 1 leaves batch normalization of \(network) nothing to compare: give 2 or more, or spherenet20."
    case .tooManyBadImages(let count, let limit, let images):
      "\(count.counted("image")) cannot be read, more than the \(limit) that --max-bad-images allows:\n"
        + images.prefix(10).map { "  \($0.identifier.printableName): \($0.reason)" }.joined(separator: "\n")
    case .longHead(let steps, let all):
      "--head-epochs is \(steps.counted("step")), longer than the run of \(all): the network would never be trained. For "
        + "that give --freeze backbone."
    case .noTrace(let error):
      "The trace was not written, all else was. \(error)"
    case .badValue(let step, let epoch, let rank, let problem, let cause):
      "Training stopped at step \(step) (epoch \(epoch)) on rank \(rank): "
        + [problem, cause, "Nothing was saved from this step.", "A lower --learning-rate or a --warmup often helps."]
        .filter { !$0.isEmpty }.joined(separator: " ")
    }
  }
}
