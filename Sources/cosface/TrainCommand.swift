import ArgumentParser
import FaceRecognition
import MPI
import NeuralNetwork

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a network on a folder of faces: one folder per person, started alone or by mpirun.",
    discussion: """
      Lengths of training (--warmup, --validate-every, ...) are steps, or epochs with an e behind: 500, 2e, 0.5e. \
      The run's folder receives model.safetensors, metrics.jsonl and configuration.json.
      """)

  @OptionGroup(title: "Data") var data: DataOptions
  @OptionGroup(title: "Network") var network: NetworkOptions
  @OptionGroup(title: "Loss") var loss: LossOptions
  @OptionGroup(title: "Optimization") var optimization: OptimizationOptions
  @OptionGroup(title: "Run") var running: RunOptions
  @OptionGroup(title: "Observation") var observation: ObservationOptions

  func validate() throws {
    guard running.resume == nil else { return }
    guard data.data != nil else { throw ValidationError("Missing expected argument '--data <data>'.") }
    guard (running.output ?? running.resumeOrStart) != nil else {
      throw ValidationError("Missing expected argument '--output <output>'.")
    }
  }

  func run() throws {
    var outcome = Trainer.Outcome.complete
    World.run { communicator in
      let threads = Threads.use(running.threads, try communicator.placement())
      let given = try options(threads: threads)
      var resumption: Resumption?
      if let run = running.resume ?? running.resumeOrStart {
        resumption = try Resumption(
          run: run, given: given, names: Self.givenNames().union(["threads"]), acceptsChanges: running.acceptChanges,
          orStart: running.resume == nil, communicator)
      }
      let kind = resumption.flatMap { NetworkKind(rawValue: $0.options.network) } ?? network.network
      outcome = try Trainer(given, kind: kind, resuming: resumption, communicator).run()
    }
    if case .stopped(let code) = outcome { throw ExitCode(code) }
  }

  private func options(threads: Int) throws -> TrainingOptions {
    let output = running.output ?? running.resume ?? running.resumeOrStart ?? ""
    var options = TrainingOptions(data: data.data ?? "", output: output)
    data.fill(&options)
    network.fill(&options)
    loss.fill(&options)
    try optimization.fill(&options)
    running.fill(&options)
    observation.fill(&options)
    options.threads = threads
    return options
  }

  /// The options of `TrainingOptions` that stand on the command line: "--learning-rate" is learningRate.
  private static func givenNames() -> Set<String> {
    let flags = CommandLine.arguments.filter { $0.hasPrefix("--") }.map { $0.dropFirst(2).prefix { $0 != "=" } }
    return Set(
      flags.map { flag in
        if flag == "epochs" || flag == "steps" { return "length" }
        let words = (flag.hasPrefix("no-") ? flag.dropFirst(3) : flag).split(separator: "-")
        return words.dropFirst().reduce(String(words.first ?? "")) { $0 + $1.prefix(1).uppercased() + $1.dropFirst() }
      })
  }
}

extension LossOptions {
  func fill(_ options: inout TrainingOptions) {
    options.margin = margin
    options.logitMultiplier = logitMultiplier
    options.logitScale = logitScale
  }
}
