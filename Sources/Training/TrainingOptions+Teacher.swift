import Distributed
import Inference
import MPI

extension TrainingOptions {
  /// The teacher that these options name; nil where they name none. Every rank calls it, and all have the same one.
  ///
  /// - Throws: what is wrong with the model or the embeddings, `RankAgreement.Failure`
  func openTeacher(for data: TrainingData, _ communicator: Communicator) throws -> (any Teacher)? {
    let (images, capacity) = (data.training, data.order.maximumShard)
    let found: (any Teacher)?
    if let teacher {
      found = try TeacherNetwork(path: teacher, capacity: capacity, source: images)
    } else if !teacherEmbeddings.isEmpty {
      found = try TeacherEmbeddings(teacherEmbeddings, of: images, capacity: capacity)
    } else {
      found = nil
    }
    try RankAgreement.check([("teacher", found?.digest ?? "none")], communicator)
    return found
  }
}
