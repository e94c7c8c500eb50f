import ArgumentParser
import Inference
import MPI
import Training

/// The network that looks at images, as every command takes it that asks it something.
struct InferenceOptionGroup: ParsableArguments {
  @OptionGroup var named: ModelOptions

  @OptionGroup var work: EmbeddingOptionGroup

  var flip: FlipTest { work.flip }
  var batchSize: Int { work.batchSize }
  var workers: Int { work.workers }

  /// Starts MPI and runs `body` on all ranks.
  func run(_ body: (Communicator) throws -> Void) { work.run(body) }
}

/// How a network looks at images, whichever it is.
struct EmbeddingOptionGroup: ParsableArguments {
  @Option(help: "Embed the mirrored image too and join both: sum, concatenate, or none.")
  var flip = FlipTest.sum

  @Option(Limits.batchSize, help: "Images per rank that go through the network at once.")
  var batchSize = 32

  @Option(
    Limits.threads,
    help: "Threads per rank that compute; OMP_NUM_THREADS, or the rank's share of the cores, unless given.")
  var threads: Int?

  @Option(Limits.threads, help: "Threads per rank that read and decode images.")
  var workers = 1

  @OptionGroup var waiting: WaitingOptions

  /// The options that say nothing where embeddings are given in place of a network, and whether they were given.
  var networkAlone: [(String, Bool)] { [("--flip", flip != .sum), ("--batch-size", batchSize != 32)] }

  /// Starts MPI and runs `body` on all ranks.
  func run(_ body: (Communicator) throws -> Void) {
    World.run(collectiveTimeout: waiting.collectiveTimeout) { communicator in
      try Threads.use(threads, communicator.placement())
      try body(communicator)
    }
  }
}

extension FlipTest: ExpressibleByArgument {}
