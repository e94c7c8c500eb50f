/// `RUN/metrics.jsonl`: one JSON object a step, each line written whole.
package final class MetricsFile {
  package struct Line: StepLine, Equatable, Sendable {
    /// Counted from 0 over all epochs.
    package var step: Int
    package var epoch: Int
    /// Mean over the step's samples of all ranks.
    package var loss: Double
    /// The logits' scale: gamma times the norm of the class weight's rows.
    package var scale: Double
    package var classWeightNorm: Double
    package var learningRate: Double
    package var samples: Int
    package var seconds: Double
    package var imagesPerSecond: Double
    /// Seconds that rank 0 waited for images in this step.
    package var dataSeconds: Double
    /// The share of the step that rank 0 spent in the MPI library: what communication was not hidden.
    package var communicationShare: Double
    /// Images that could not be read so far, over all ranks.
    package var badImages: Int
    /// Of embeddings and their teacher's, mean over the step's samples; where there is a teacher.
    package var teacherCosine: Double?
    /// On the steps after which the network was validated; the set that chooses the best model first.
    package var validations: [Validation]?
  }

  /// What a set for validation says of the network.
  package struct Validation: Codable, Equatable, Sendable {
    /// The set's name.
    package var set: String
    /// Balanced, at the best threshold for these very pairs: by it the best model is chosen.
    package var accuracy: Double
    /// Balanced, at thresholds that other folds of the pairs chose, their mean; nil without folds.
    package var crossValidatedAccuracy: Double?
    /// Nil in lines of other programs that only say how accurate they are.
    package var areaUnderCurve: Double?
  }

  private let log: StepLog<Line>

  /// An empty file, or that of a run resumed at `step`, without the lines of steps that will be trained again.
  package init(path: String, keepingStepsBefore step: Int? = nil) throws {
    log = try StepLog(path: path, keepingStepsBefore: step)
  }

  package func write(_ line: Line) throws { try log.write(line) }

  /// A note about lines that could not be kept.
  package var note: String? { log.note }
}

extension MetricsFile.Line {
  /// The numbers that are worth a curve, under their names in the file.
  package var scalars: [(name: String, value: Double)] {
    var scalars = [
      ("loss", loss), ("scale", scale), ("classWeightNorm", classWeightNorm), ("learningRate", learningRate),
      ("imagesPerSecond", imagesPerSecond), ("dataShare", dataShare),
      ("communicationShare", communicationShare),
    ]
    if let teacherCosine { scalars.append(("teacherCosine", teacherCosine)) }
    for validation in validations ?? [] {
      scalars.append(("accuracy/" + validation.set, validation.accuracy))
      if let accuracy = validation.crossValidatedAccuracy {
        scalars.append(("crossValidatedAccuracy/" + validation.set, accuracy))
      }
      if let area = validation.areaUnderCurve { scalars.append(("areaUnderCurve/" + validation.set, area)) }
    }
    return scalars
  }

  /// By the set that chooses the best model; nil where the network was not validated.
  package var accuracy: Double? { validations?.first?.accuracy }

  /// The part of the step's time that rank 0 waited for images: `dataSeconds` of `seconds`.
  var dataShare: Double { seconds > 0 ? dataSeconds / seconds : 0 }
}
