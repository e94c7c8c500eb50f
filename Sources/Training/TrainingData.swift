package import Datasets
import Distributed
import Files
import Foundation
package import MPI

/// The images of a run: those trained on, those of people held out, and the order in which they come.
package struct TrainingData {
  package let training: any ImageSource
  package let heldOut: (any ImageSource)?
  package let order: DataOrder
  package let fingerprint: String
  /// Training images that are not there: known as bad before the first step.
  package let absent: [BadImage]
  var notes: [String] { training.notes }

  /// Opens and checks the data; all ranks call it and must see the same.
  package init(_ options: TrainingOptions, _ communicator: Communicator) throws {
    try ImageSet.refuseRepetition(options.data)
    let all = try Self.open(options)
    var training = all
    if options.holdoutPeople > 0 {
      let split = try all.split(holdoutPeople: options.holdoutPeople, seed: options.seed)
      (training, heldOut) = (split.training, split.heldOut)
    } else {
      heldOut = nil
    }
    // After the split, so that `evaluate` finds the same people held out without these options.
    if options.minImagesPerPerson > 1 || options.maxImagesPerPerson != nil {
      training = try training.limited(
        minimum: options.minImagesPerPerson, maximum: options.maxImagesPerPerson, seed: options.seed)
    }
    try training.validateForTraining(rankCount: communicator.size, minimumPeople: options.labels ? 2 : 1)
    let inventory = try training.inventory()
    (fingerprint, absent) = (inventory.fingerprint, inventory.absent)
    try RankAgreement.check([("data in \(options.data.joined(separator: ", "))", fingerprint)], communicator)
    let limit = BadImage.limit(options.maxBadImages, of: training.count)
    guard absent.count <= limit else {
      throw TrainingError.tooManyBadImages(count: absent.count, limit: limit, images: absent)
    }
    try Self.checkPeople(training, absent)
    self.training = training
    order = DataOrder(
      training, sampling: options.sampling, batchSize: options.batchSize * options.gradientAccumulation,
      rankCount: communicator.size, seed: options.seed)
  }

  private static func open(_ options: TrainingOptions) throws -> any ImageSource {
    guard options.labels else { return try ImageSet.unlabelled(paths: options.data) }
    let sets = try options.data.map(ImageSet.open)
    return sets.count == 1 ? sets[0] : try ImageUnion(sets, joinsPeople: options.joinPeople)
  }

  /// Refuses a person without any image: the first epoch would end there.
  private static func checkPeople(_ training: any ImageSource, _ absent: [BadImage]) throws(DataError) {
    guard !absent.isEmpty else { return }
    let index = ClassIndex(training)
    let byPerson = Dictionary(grouping: absent) { training.label(of: $0.sample) }
    for (label, images) in byPerson.sorted(by: { $0.key < $1.key })
    where images.count == index.samples(of: label).count {
      throw DataError.noImage(of: training.classNames[label], in: training.location, images)
    }
  }
}
