import Evaluation
package import Files
package import Training

/// Which runs a report is about, and what their models are evaluated on.
package struct ReportOptions: Sendable {
  package var runs: [String]
  package var output: String
  /// Evaluates every run's model on these images instead of what it was validated on.
  package var data: String?
  /// A list of pairs of `data`.
  package var pairs: String?
  package var evaluates = true
  /// Hardest pairs of each kind that are shown with their pictures and names.
  package var pictures = 0
  /// The most people whose false accepts are counted, under their names; 0 for none.
  package var confusedPeople = 0
  /// Whether the pixels themselves are evaluated, too.
  package var rawPixels = false
  package var batchSize = 32
  package var workers = 1
  package var maximumBadImages = 0.001

  package init(runs: [String], output: String) {
    self.runs = runs
    self.output = output
  }

  /// What a run is evaluated on: `data`, else the set of its own options that chose its best model, else nil.
  func evaluation(of run: RunFolder, options own: TrainingOptions?) -> EvaluationOptions? {
    guard evaluates else { return nil }
    var options: EvaluationOptions
    if let data {
      options = EvaluationOptions(model: run.path, data: data)
      options.pairs = pairs
    } else if let own, let source = own.choosingSource {
      switch source.kind {
      case .set(let path): options = EvaluationOptions(model: run.path, data: path)
      case .pairs(let path, let root):
        options = EvaluationOptions(model: run.path, data: root)
        options.pairs = path
      case .heldOut:
        guard own.data.count == 1 else { return nil }
        options = EvaluationOptions(model: run.path, data: own.data[0])
        options.holdoutPeople = own.holdoutPeople
      }
    } else {
      return nil
    }
    options.seed = own?.seed ?? options.seed
    options.batchSize = batchSize
    options.workers = workers
    options.rawPixels = rawPixels
    options.maximumBadImages = maximumBadImages
    return options
  }
}

extension Limits {
  /// A matrix of more people is wider than a page.
  package static let confusedPeople = NumberRange(0...40)
}
