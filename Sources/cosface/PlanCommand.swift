import ArgumentParser
import Files
import Foundation
import MPI
import Planning
import Training

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

  @Option(of: \.$optimizer, help: "What updates the weights, as train has it: sgd, adamw or muon; muon unless given.")
  var optimizer: OptimizerKind?

  @Option(Limits.ranks, help: "Ranks of the cluster; the ranks started here unless given.")
  var ranks: Int?

  @Option(Limits.ranks, help: "Ranks on each host; as many as were started on this one unless given.")
  var ranksPerHost: Int?

  @Option(help: "Bandwidth of a host's link, each way.")
  var bandwidth: Bandwidth?

  @Option(Limits.latency, help: "Latency between hosts in microseconds.")
  var latency: Double?

  @Option(help: "Links as 'cosface check --json' measured them, in place of --bandwidth and --latency.")
  var link: String?

  @Option(help: "Computing as an earlier 'cosface plan --json' measured it.")
  var compute: String?

  @Option(Limits.gigabytes, help: "Gigabytes that a rank may take.")
  var memory: Double?

  @Option(Limits.measuredSteps, help: "Steps to measure; 5 unless given.")
  var steps: Int?

  func validate() throws {
    guard compute == nil || steps == nil else {
      throw ValidationError("--steps is of no use with --compute: nothing is measured.")
    }
    guard link == nil || (bandwidth == nil && latency == nil) else {
      throw ValidationError("Give --link, or --bandwidth and --latency, not both.")
    }
    guard link != nil || (bandwidth == nil) == (latency == nil) else {
      throw ValidationError("--bandwidth and --latency go together.")
    }
  }

  func run() throws {
    World.run(collectiveTimeout: options.waiting.collectiveTimeout) { communicator in
      let placement = try communicator.placement()
      try Threads.use(options.threads, placement)
      var planner = try Planner(work.workload())
      planner.ranks = ranks ?? communicator.size
      planner.ranksPerHost = ranksPerHost ?? placement.localSize
      planner.bucketBytes = work.bucketBytes
      planner.gradientType = work.gradientType
      planner.optimizer = optimizer ?? .usual
      planner.steps = steps ?? 5
      planner.memoryLimit = memory.map { Int($0 * 1e9) }
      planner.computePath = compute
      planner.threads = options.threads
      planner.linkPath = link
      if let bandwidth, let latency {
        planner.link = LinkModel(latencySeconds: latency * 1e-6, bytesPerSecond: bandwidth.bytesPerSecond)
      }
      let plan = try planner.run(communicator)
      guard communicator.rank == 0 else { return }
      try options.json ? Terminal.print(json: plan, inOneLine: true) : Terminal.print(plan.text, end: "")
    }
  }
}

/// "1gbit" is 125,000,000 bytes per second, as tc counts.
struct Bandwidth: CodedAsText {
  static let meaning = "100mbit, 1gbit, 10gbit, or bytes per second, from 1 to 1e15"

  let bytesPerSecond: Double

  init?(_ given: String) {
    let units = [("gbit", 1e9 / 8), ("mbit", 1e6 / 8), ("kbit", 1e3 / 8), ("", 1)]
    let text = given.lowercased()
    let unit = units.first { text.hasSuffix($0.0) }!
    guard let number = Double(text.dropLast(unit.0.count)), (1...1e15).contains(number * unit.1) else { return nil }
    bytesPerSecond = number * unit.1
  }

  var description: String { "\(bytesPerSecond)" }
}
