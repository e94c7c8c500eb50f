import Datasets
import Files
import Inference
import MPI
import NeuralNetwork
import Weights

/// All sets that the network is evaluated on while training, and which of them chooses the best model.
final class Validations {
  /// What came of one time.
  struct Results {
    /// The choosing set's first.
    let sets: [ValidationSet.Result]
    var accuracy: Double { sets[0].line.accuracy }
    /// By the choosing set.
    var threshold: VerificationThreshold { sets[0].threshold }
    var lines: [MetricsFile.Validation] { sets.map(\.line) }

    /// A line each, for people.
    var descriptions: [String] { sets.map(\.description) }
  }

  /// The choosing one first.
  let sets: [ValidationSet]

  /// Nil where the options name nobody to validate on.
  ///
  /// - Throws: what is wrong with a set's files.
  init?(_ options: TrainingOptions, heldOut: (any ImageSource)?, network: Network) throws {
    guard let choosing = options.choosingSource else { return nil }
    let others = options.validationSources.filter { $0 != choosing }
    let embedder = Embedder(network, batchSize: options.batchSize, workers: options.workers)
    sets = try ([choosing] + others).map { try ValidationSet($0, options, heldOut: heldOut, embedder) }
  }

  var notes: [String] { sets.flatMap(\.verification.source.notes) }

  /// Every rank calls it.
  func run(_ communicator: Communicator) throws -> Results { Results(sets: try sets.map { try $0.run(communicator) }) }

  /// The best so far that a checkpoint knows, if it was chosen by the set that chooses now.
  func best(of state: CheckpointState?) -> CheckpointState.Validation? {
    state?.best.flatMap { $0.set == sets[0].source.name ? $0 : nil }
  }
}
