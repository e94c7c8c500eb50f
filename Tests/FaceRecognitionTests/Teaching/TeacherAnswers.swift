import Datasets
import Inference

/// What a teacher says of a training set, in an order without chance.
struct TeacherAnswers {
  /// Of each batch the samples, whether they were mirrored, and the vectors.
  private(set) var samples: [Int32] = []
  private(set) var isMirrored: [Bool] = []
  private(set) var vectors: [[Float]] = []

  /// Three epochs, in batches of 5, or 6 where 1 would be left over; images of side 32 for the student.
  init(
    _ teacher: any Teacher, _ source: any ImageSource, _ augmentation: Augmentation = .flip, epochs: Int = 3
  ) throws {
    let order = DataOrder(sampleCount: source.count, batchSize: 5, rankCount: 1, seed: 6)
    let loader = BatchLoader(
      source, order: order, rank: 0, side: 32, augmentation: augmentation, workers: 2, teacherSide: teacher.imageSide)
    loader.start()
    defer { loader.stop() }
    for _ in 0..<(epochs * order.stepsPerEpoch) {
      let batch = try loader.next()
      let rows = try teacher.embeddings(of: batch)
      samples += batch.samples
      isMirrored += batch.isMirrored
      for row in 0..<batch.count {
        vectors.append((0..<teacher.width).map { rows[row * teacher.width + $0] })
      }
    }
  }

  /// The greatest difference between values.
  func difference(to other: TeacherAnswers) -> Float {
    zip(vectors.joined(), other.vectors.joined()).map { abs($0 - $1) }.max() ?? .infinity
  }
}
