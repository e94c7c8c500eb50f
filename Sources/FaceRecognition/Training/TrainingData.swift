import Foundation
package import MPI

/// The images of a run: those trained on, those of people held out, and the order in which they come.
package struct TrainingData {
  package let training: any ImageSource
  package let heldOut: (any ImageSource)?
  package let order: DataOrder

  /// Opens and checks the data; all ranks call it and must see the same.
  package init(_ options: TrainingOptions, _ communicator: Communicator) throws {
    let folder = try ImageFolder(root: options.data)
    if options.holdoutPeople > 0 {
      let split = try folder.split(holdoutPeople: options.holdoutPeople, seed: options.seed)
      (training, heldOut) = (split.training, split.heldOut)
    } else {
      (training, heldOut) = (folder, nil)
    }
    try training.validateForTraining(rankCount: communicator.size)
    try RankAgreement.check([("data in \(options.data)", try training.fingerprint())], communicator)
    order = DataOrder(
      sampleCount: training.count, batchSize: options.batchSize * options.gradientAccumulation,
      rankCount: communicator.size, seed: options.seed)
  }
}
