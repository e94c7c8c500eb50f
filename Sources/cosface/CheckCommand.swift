import ArgumentParser
import Files
import Foundation
import MPI
import Planning
import Training

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Look at a cluster before a long run: hosts, binding, memory, versions, data, links.",
    discussion: """
      To be run on the ranks of the run to come: scripts/launch.sh --hostfile FILE -- check --data DIR. \
      Ranks with another program, other versions of Open MPI, oneDNN, OpenBLAS or libjpeg, or other data are refused with \
      a table. Other processors, systems or kernels are warned of: last digits may differ between them. What makes runs \
      slow or hang is named: bridges that lead nowhere, cores that ranks share, two pools of threads, a slow link, \
      libraries of another release than the program was compiled with.
      """)

  @Option(help: "Folder of faces: all ranks must see the same people, images and sizes.")
  var data: String?

  @Option(Limits.threads, help: "Threads per rank; OMP_NUM_THREADS, or the rank's share of the cores, unless given.")
  var threads: Int?

  @OptionGroup var waiting: WaitingOptions

  @Flag(help: "Print one JSON object; latencySeconds and bytesPerSecond are those of the slowest links.")
  var json = false

  func run() throws {
    World.run(collectiveTimeout: waiting.collectiveTimeout) { communicator in
      let placement = try communicator.placement()
      try Threads.use(threads, placement)
      var check = ClusterCheck()
      check.data = data
      let report = try check.run(communicator, placement)
      guard communicator.rank == 0 else { return }
      try json ? Terminal.print(json: report, inOneLine: true) : Terminal.print(report.text, end: "")
    }
  }
}
