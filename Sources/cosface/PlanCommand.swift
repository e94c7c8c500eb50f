import ArgumentParser
import FaceRecognition
import Foundation
import MPI
import NeuralNetwork

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Reckon memory and time per step on a cluster, for both classifiers, before you train there.",
    discussion: """
      Computing is measured here, on as many ranks as you start (as many as a host will have, under mpirun, so that they \
      share the memory's bandwidth as they will), or taken from an earlier plan (--compute FILE). Links are given, or taken \
      from 'cosface check --json' (--link FILE). From both a step is played through: buckets of gradients depart when the \
      backward pass has completed them, the link carries one after the other, and what has not arrived when the pass ends \
      is waited for.

      P ranks, r on a host, n bytes, alpha the latency, B the bandwidth of a host, S that of ranks on one host (b is B \
      among hosts and S on one), o = 5 us for each message:

        sum of a bucket     2 (alpha + (P - 1) o) + 2 r n / P (P - r) / B + 2 n / P (r - 1) / S
        few bytes           ceil(log2 P) (alpha + n / b)
        broadcast           ceil(log2 P) alpha + 2 n / b, or n / b for two ranks
        allgather           (P - 1) (alpha + n / P / b)
        reduce-scatter      ceil(log2 P) alpha + n (P - 1) / P / b

      A rank sends 2 (P - 1) / P of the gradients' bytes; replicated these are the class weight's too (N K), and the row \
      factors (N); sharded 2 M K for each of its own M samples and each of the P - 1 others. Every rank is taken for the \
      same: images are ready, nobody comes late.
      """)

  @OptionGroup var work: WorkloadOptions
  @OptionGroup var options: BenchOptions

  @Option(help: "Ranks of the cluster; the ranks started here unless given.")
  var ranks: Int?

  @Option(help: "Ranks on each host; as many as were started on this one unless given.")
  var ranksPerHost: Int?

  @Option(help: "Bandwidth of a host's link, each way: 100mbit, 1gbit, 10gbit, or bytes per second.")
  var bandwidth: Bandwidth?

  @Option(help: "Latency between hosts in microseconds.")
  var latency: Double?

  @Option(help: "Links as 'cosface check --json' measured them, in place of --bandwidth and --latency.")
  var link: String?

  @Option(help: "Computing as an earlier 'cosface plan --json' measured it.")
  var compute: String?

  @Option(help: "Gigabytes that a rank may take.")
  var memory: Double?

  @Option(help: "Steps to measure.")
  var steps = 5

  func validate() throws {
    try Validation.atLeast(1, "--steps", steps)
    if let ranks { try Validation.atLeast(1, "--ranks", ranks) }
    if let ranksPerHost { try Validation.atLeast(1, "--ranks-per-host", ranksPerHost) }
    if let latency { try Validation.notNegative("--latency", latency) }
    if let memory { try Validation.positive("--memory", memory) }
    guard link == nil || (bandwidth == nil && latency == nil) else {
      throw ValidationError("Give --link, or --bandwidth and --latency, not both.")
    }
    guard link != nil || (bandwidth == nil) == (latency == nil) else {
      throw ValidationError("--bandwidth and --latency go together.")
    }
  }

  func run() throws {
    World.run { communicator in
      let placement = try communicator.placement()
      Threads.use(options.threads, placement)
      var planner = Planner(work.workload)
      planner.ranks = ranks ?? communicator.size
      planner.ranksPerHost = ranksPerHost ?? placement.localSize
      planner.bucketBytes = work.bucketBytes
      planner.gradientType = work.gradientType
      planner.steps = steps
      planner.memoryLimit = memory.map { Int($0 * 1e9) }
      planner.computePath = compute
      planner.linkPath = link
      if let bandwidth, let latency {
        planner.link = LinkModel(latencySeconds: latency * 1e-6, bytesPerSecond: bandwidth.bytesPerSecond)
      }
      let plan = try planner.run(communicator)
      guard communicator.rank == 0 else { return }
      options.json ? Terminal.print(json: try plan.json()) : Terminal.print(plan.text, end: "")
    }
  }
}

/// "1gbit" is 125,000,000 bytes per second, as tc counts.
struct Bandwidth: ExpressibleByArgument {
  let bytesPerSecond: Double

  init?(argument: String) {
    let units = [("gbit", 1e9 / 8), ("mbit", 1e6 / 8), ("kbit", 1e3 / 8), ("", 1)]
    let text = argument.lowercased()
    let unit = units.first { text.hasSuffix($0.0) }!
    guard let number = Double(text.dropLast(unit.0.count)), number > 0, number.isFinite else { return nil }
    bytesPerSecond = number * unit.1
  }
}
