import ArgumentParser
import Files
import Foundation
import MPI
import Planning
import Training

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure speed and memory, and the share of what this machine can do.",
    discussion: """
      Fixed seeds, a warm-up, medians. The limit of the machine is measured in the same run: the convolutions alone, \
      the memory's bandwidth, a large matrix product.
      """,
    subcommands: [BenchStep.self, BenchHead.self, BenchInfer.self, BenchAllReduce.self, BenchData.self])
}

/// What all benchmarks take.
struct BenchOptions: ParsableArguments {
  @Option(Limits.threads, help: "Threads per rank; OMP_NUM_THREADS, or the rank's share of the cores, unless given.")
  var threads: Int?

  @Flag(help: "Print one JSON object.")
  var json = false

  @OptionGroup var waiting: WaitingOptions

  /// Runs on all ranks; rank 0 prints.
  func run(_ measure: (Communicator) throws -> any BenchmarkReport) {
    World.run(collectiveTimeout: waiting.collectiveTimeout) { communicator in
      try Threads.use(threads, communicator.placement())
      let report = try measure(communicator)
      guard communicator.rank == 0 else { return }
      try json ? Terminal.print(json: report, inOneLine: true) : Terminal.print(report.text, end: "")
    }
  }

  static func alone(_ communicator: Communicator, _ name: String) throws {
    guard communicator.size == 1 else {
      throw BenchmarkError("bench \(name) measures one rank; \(communicator.size) were started.")
    }
  }
}
