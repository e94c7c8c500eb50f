import FaceRecognition
import Foundation
import MPI

/// Signals that reached this program itself.
nonisolated(unsafe) private var heard = 0

/// Other people's programs that train: `failing-program RANKS MODE FACES OUTPUT`.
///
/// MODE is `train-data` (the faces are missing on RANKS), `train-exit` (the program ends after the second step there),
/// `train-late` (it ends with an error after training there), or `train-signals` (signals before, in and after two runs).
enum FailingTraining {
  static func run(_ ranks: String, _ mode: String, _ faces: String, _ output: String) throws {
    // Before MPI has started.
    let fails = ranks == "all" || Launch.rank == (ranks == "first" ? 0 : Launch.size - 1)
    var run = TrainingRun(data: mode == "train-data" && fails ? faces + "-absent" : faces, output: output)
    (run.options.embedding, run.options.inputSize, run.options.batchSize) = (16, 32, 2)
    run.options.length = .steps(4)
    run.collectiveTimeout = 40
    if mode == "train-signals" { return try signals(run) }
    try run.start { step in
      if mode == "train-exit", step.number == 1, fails { exit(0) }
    }
    if mode == "train-late", fails { exit(7) }
    print("trained")
  }

  private static func signals(_ given: TrainingRun) throws {
    var run = given
    // What a parent ignores is ignored here, too.
    let numbers = [SIGTERM, SIGUSR1, SIGXFSZ]
    let before = numbers.map(handler)
    signal(SIGINT) { _ in heard += 1 }
    raise(SIGINT)
    print("before \(heard)")
    print("first \(try run.start { if $0.number == 1 { raise(SIGINT) } })")
    raise(SIGINT)
    print("between \(heard)")
    run.options.output += "-second"
    print("second \(try run.start())")
    raise(SIGINT)
    print("after \(heard)")
    for (number, old) in zip(numbers, before) { print("as before \(handler(number) == old)") }
  }

  private static func handler(_ number: CInt) -> Int {
    var action = sigaction()
    sigaction(number, nil, &action)
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
  }
}
