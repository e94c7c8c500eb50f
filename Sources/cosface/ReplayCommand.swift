import ArgumentParser
import Files
import MPI
import NeuralNetwork
import Training

struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Train on recorded batches from recorded weights, to compare with another program.",
    discussion: """
      Prints one JSON object a step: the loss, and the norm of the class weight's rows after the step. \
      Under mpirun each batch is divided among the ranks.
      """)

  @Option(help: "Network: \(NetworkKind.allCases.map(\.rawValue).joined(separator: ", ")).")
  var network: NetworkKind

  @Option(help: "Safetensors file with the network's parameters and running statistics, and classWeight (N, K).")
  var weights: String

  @Option(help: "Safetensors file with images (steps, M, 3, S, S) as the network sees them, and labels (steps, M).")
  var batches: String

  @OptionGroup var loss: LossOptions

  @Option(Limits.replayedRate, help: "Learning rate, the same in every step.")
  var learningRate = 0.01

  @OptionGroup var optimizer: OptimizerOptions

  @Option(help: "Safetensors file to write the trained weights to.")
  var output: String?

  @OptionGroup var waiting: WaitingOptions

  func validate() throws { try refuseConflicts(usual: .sgd) }

  func run() throws {
    World.run(collectiveTimeout: waiting.collectiveTimeout) { communicator in
      let options = try trainingOptions()
      if communicator.rank == 0 { try OutputFiles.tryOut([output], inputs: [weights, batches]) }
      try Threads.use(nil, communicator.placement())
      let replay = try Replay(
        network, weights: weights, batches: batches, settings: options.stepSettings, communicator: communicator)
      try replay.run(learningRate: learningRate) { line in
        if communicator.rank == 0 { try Terminal.print(json: line, inOneLine: true) }
      }
      if let output, communicator.rank == 0 { try replay.write(to: output) }
      try communicator.barrier()
    }
  }
}
