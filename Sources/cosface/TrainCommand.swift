import ArgumentParser
import Distributed
import FaceRecognition
import Files
import Inference
import MPI
import NeuralNetwork
import Planning
import Training

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a network on a folder of faces: one folder per person, started alone or by mpirun.",
    discussion: """
      Lengths of training (--warmup, --validate-every, ...) are steps, or epochs with an e behind: 500, 2e, 0.5e. \
      The run's folder receives model.safetensors, metrics.jsonl, configuration.json and run.yaml. \
      Exit codes: 0 trained, 75 stopped and saved, 1 refused before the first step or broken in a way that would come again, \
      64 wrong options, 69 a rank or host was lost or hung, 70 another failure while training.
      """)

  // Read by `ConfigurationArguments`, before these options are parsed.
  @Option(help: "YAML file with options by their names here, such as a run's run.yaml; the command line wins.")
  var config: String?

  @OptionGroup(title: "Data") var data: DataOptions
  @OptionGroup(title: "Network") var network: NetworkOptions
  @OptionGroup(title: "Warm start") var warmStart: WarmStartOptions
  @OptionGroup(title: "Teacher") var teacher: TeacherOptions
  @OptionGroup(title: "Adapting") var adapting: AdaptingOptions
  @OptionGroup(title: "Loss") var loss: LossOptions
  @OptionGroup(title: "Classifier") var classifier: ClassifierOptions
  @OptionGroup(title: "Optimization") var optimization: OptimizationOptions
  @OptionGroup(title: "Run") var running: RunOptions
  @OptionGroup(title: "Communication") var communication: CommunicationOptions
  @OptionGroup(title: "Communication") var waiting: WaitingOptions
  @OptionGroup(title: "Observation") var observation: ObservationOptions

  func validate() throws {
    guard running.resume == nil else { return }
    guard !data.data.isEmpty else { throw ValidationError("Missing expected argument '--data <data>'.") }
    guard (running.output ?? running.resumeOrStart) != nil else {
      throw ValidationError("Missing expected argument '--output <output>'.")
    }
    let conflict = try options(threads: 1).conflictOfRun
    if let conflict { throw ValidationError(conflict) }
  }

  func run() throws {
    var outcome = Trainer.Outcome.complete
    var isTraining = false
    // launch.sh --restarts tells from the exit code whether starting again can help: broken data stay broken.
    func report(_ error: any Error) -> FailureReport {
      let comesAgain = error is TrainingError || error is DataError || error is EvaluationError
      return FailureReport(message: "Error: \(error)", exitCode: isTraining && !comesAgain ? 70 : 1)
    }
    World.run(collectiveTimeout: waiting.collectiveTimeout, reporting: report) { communicator in
      let placement = try communicator.placement()
      let threads = try Threads.use(running.threads, placement)
      for warning in try StartCheck.run(communicator, placement) where communicator.rank == 0 {
        Terminal.print(line: "warning   \(warning)")
      }
      var given = try options(threads: threads)
      var resumption: Resumption?
      if let run = running.resume ?? running.resumeOrStart {
        resumption = try Resumption(
          run: run, given: given, names: Self.givenNames().union(["threads"]), acceptsChanges: running.acceptChanges,
          orStart: running.resume == nil, communicator)
      }
      // A run that goes on has its options from the checkpoint, and needs its first weights no more.
      if resumption == nil { given = try given.takingNetworkOfWeights(unless: Self.givenNames()) }
      let trainer = try Trainer(
        given, resuming: resumption, startsOver: running.resumeOrStart != nil,
        observers: Observers.make, communicator)
      isTraining = true
      outcome = try trainer.run()
    }
    if case .stopped(let code) = outcome { throw ExitCode(code) }
  }

  private func options(threads: Int) throws -> TrainingOptions {
    let output = running.output ?? running.resume ?? running.resumeOrStart ?? ""
    var options = TrainingOptions(data: data.data, output: output)
    try options.take(self)
    options.length = optimization.steps.map { .steps($0) } ?? optimization.epochs.map { .epochs($0) } ?? options.length
    options.threads = threads
    return options
  }

  /// The options of `TrainingOptions` that stand on the command line or in its configuration: "--learning-rate" is learningRate.
  private static func givenNames() -> Set<String> {
    let flags = (try? ConfigurationArguments.ofProcess.get().names) ?? []
    return Set(
      flags.map { flag in
        ["epochs", "steps"].contains(flag)
          ? "length" : TrainingOptions.name(of: flag.hasPrefix("no-") ? String(flag.dropFirst(3)) : flag)
      })
  }
}
