package import Datasets

/// Who hears of a run while it trains: the live page, TensorBoard. On rank 0, on the training thread.
package protocol RunObserver: AnyObject {
  /// What a person should know of it at the start, such as an address.
  var announcement: String? { get }

  /// This process now owns the run's folder. A resumed run repeats the steps from `index` on.
  func open(_ folder: RunFolder, resumingAt index: Int?) throws

  /// The start is noted down in the run's folder; steps follow.
  func begin(_ folder: RunFolder) throws

  /// Looks at a step that was just made, before its line; what it `takes` is due: a picture of the batch, histograms.
  func observe(_ step: TrainingStep, _ batch: Batch, takesImages: Bool, takesHistograms: Bool) throws

  func write(_ line: MetricsFile.Line) throws

  /// - Parameter ending: how the run ended, in a sentence.
  func finish(_ ending: String) throws

  /// The same, of a run that failed.
  func abandon(_ ending: String)
}

extension RunObserver {
  package var announcement: String? { nil }
  package func open(_ folder: RunFolder, resumingAt index: Int?) throws {}
  package func begin(_ folder: RunFolder) throws {}
  package func observe(_ step: TrainingStep, _ batch: Batch, takesImages: Bool, takesHistograms: Bool) throws {}
  package func write(_ line: MetricsFile.Line) throws {}
  package func finish(_ ending: String) throws {}
  package func abandon(_ ending: String) {}
}

/// Makes a run's observers before any file of the run is written: where a port is taken, nothing is left behind.
package typealias RunObservers = (RunFolder, TrainingOptions) throws -> [any RunObserver]
