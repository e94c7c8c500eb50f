package import Files
import NeuralNetwork

/// Where a run stands, beside its tensors: all that the next step needs to be the one that would have followed.
///
/// The order of the data and its augmentation are functions of seed, epoch and sample, and the learning rate is one of
/// the step: so these numbers are the whole position.
package struct CheckpointState: Codable, Equatable, Sendable {
  /// A verification accuracy and the step after which it was measured.
  package struct Validation: Codable, Equatable, Sendable {
    package var step: Int
    /// 0...1.
    package var accuracy: Double
    /// The name of the set that it was measured on; nil in checkpoints of former versions.
    package var set: String?

    package init(step: Int, accuracy: Double, set: String? = nil) {
      self.step = step
      self.accuracy = accuracy
      self.set = set
    }
  }

  /// Steps trained so far, which is the number of the next one.
  package var step: Int
  /// Of the next step.
  package var epoch: Int
  package var stepInEpoch: Int
  package var totalSteps: Int
  package var seed: UInt64
  /// Samples of one step on all ranks.
  package var globalBatchSize: Int
  package var rankCount: Int
  package var threadsPerRank: Int
  /// `Libraries.kernels` of rank 0, which round in their own way.
  package var kernels: String? = Libraries.kernels
  /// The libraries that rank 0 had loaded, and their versions.
  package var libraries: [String: String]?
  /// The norm that all rows of the class weight share.
  package var classScale: ExactDouble
  /// Sampled classes: rows have the norms that they got when last trained on, and stand for rows of that one norm.
  package var rowsAwaitProjection: Bool
  /// `ImageSource.fingerprint()` of the training images.
  package var dataFingerprint: String
  /// `Digest(ofNames:)` of the class names, which stand in the model file.
  package var classNamesDigest: Digest
  /// Of the teacher's weights, or of its embeddings; nil without a teacher.
  package var teacherDigest: String?
  /// The best validation of the run so far; the checkpoint of its step is kept.
  package var best: Validation?
  /// The options of the run, schedule included.
  package var configuration: JSONValue

  package init(
    step: Int, epoch: Int, stepInEpoch: Int, totalSteps: Int, seed: UInt64, globalBatchSize: Int, rankCount: Int,
    threadsPerRank: Int, libraries: [String: String], classScale: Double, rowsAwaitProjection: Bool = false,
    dataFingerprint: String,
    classNames: [Name], teacherDigest: String? = nil, best: Validation? = nil, configuration: JSONValue
  ) {
    self.step = step
    self.epoch = epoch
    self.stepInEpoch = stepInEpoch
    self.totalSteps = totalSteps
    self.seed = seed
    self.globalBatchSize = globalBatchSize
    self.rankCount = rankCount
    self.threadsPerRank = threadsPerRank
    self.libraries = libraries
    self.classScale = ExactDouble(classScale)
    self.rowsAwaitProjection = rowsAwaitProjection
    self.dataFingerprint = dataFingerprint
    classNamesDigest = Digest(ofNames: classNames)
    self.teacherDigest = teacherDigest
    self.best = best
    self.configuration = configuration
  }

  /// The first number that no run can have, as a reason; nil where all are possible.
  var contradiction: String? {
    let counts = [("step", step), ("epoch", epoch), ("stepInEpoch", stepInEpoch), ("totalSteps", totalSteps)]
    if let bad = counts.first(where: { $0.1 < 0 }) { return "\(bad.0) is \(bad.1)" }
    let sizes = [("globalBatchSize", globalBatchSize), ("rankCount", rankCount), ("threadsPerRank", threadsPerRank)]
    if let bad = sizes.first(where: { $0.1 < 1 }) { return "\(bad.0) is \(bad.1)" }
    if !(classScale.value > 0) { return "classScale is \(classScale.value)" }
    return nil
  }
}

extension Digest {
  /// Of a list of names in order. A zero byte ends each: no name contains one.
  package init(ofNames names: [Name]) {
    var stream = DigestStream()
    for name in names { Array(name.text.utf8 + [0]).withUnsafeBytes { stream.update($0) } }
    self = stream.digest
  }
}
