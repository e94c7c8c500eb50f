package import MPI

/// What the ranks tell one another after each step, in one message: this rank's part or, once joined, the sum of all.
package struct StepAgreement: Equatable, Sendable {
  /// The ranks' parts add up to the mean over all samples.
  package var loss = 0.0
  /// So do those of the mean cosine between embeddings and their teacher's.
  package var teacherCosine = 0.0
  // Numbers of ranks; one rank's own part is 0 or 1.
  /// It has met images that cannot be read.
  package var hasNewBadImages = 0.0
  /// It was asked to stop.
  package var stops = 0.0
  /// A checkpoint is due by the clock.
  package var savesCheckpoint = 0.0
  /// It still writes its part of the last checkpoint.
  package var isWriting = 0.0

  package init() {}

  private static let fields: [WritableKeyPath<StepAgreement, Double> & Sendable] = [
    \.loss, \.teacherCosine, \.hasNewBadImages, \.stops, \.savesCheckpoint, \.isWriting,
  ]

  /// Numbers in the message.
  package static var count: Int { fields.count }

  /// The sums over all ranks; every rank calls it.
  package func joined(_ communicator: Communicator) throws -> StepAgreement {
    let sums = try communicator.orderedSum(Self.fields.map { self[keyPath: $0] })
    var all = StepAgreement()
    for (field, sum) in zip(Self.fields, sums) { all[keyPath: field] = sum }
    return all
  }
}
