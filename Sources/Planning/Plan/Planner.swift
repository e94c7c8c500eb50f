package import Distributed
package import MPI
import NeuralNetwork
package import Training

/// Puts a plan together: measures computing on all ranks, or reads it, and the links.
package struct Planner {
  package let workload: StepWorkload
  package var ranks = 1
  package var ranksPerHost = 1
  package var bucketBytes = 4 << 20
  package var gradientType = GradientType.float32
  package var optimizer = OptimizerKind.sgd
  package var steps = 5
  package var memoryLimit: Int?
  /// A measured link between hosts, given or in a file.
  package var link: LinkModel?
  package var linkPath: String?
  package var computePath: String?
  /// Threads of each rank. If given, a computation measured with another number is refused.
  package var threads: Int?

  package init(_ workload: StepWorkload) { self.workload = workload }

  package func run(_ communicator: Communicator) throws -> Plan {
    // Files first: they are refused before anything is measured.
    var link = try linkPath.map(PlanInput.link(from:)) ?? link
    if link == nil {
      guard ranks <= ranksPerHost else {
        throw PlanError(
          "\(ranks) ranks, \(ranksPerHost) on a host, need a link between hosts: give --bandwidth and --latency, or --link."
        )
      }
      // One host has no link to others: these values are not used.
      link = LinkModel(latencySeconds: 0, bytesPerSecond: .greatestFiniteMagnitude)
    }
    let given = try computePath.map { path in try check(PlanInput.compute(from: path), path) }
    var model = link!
    model.ranksPerHost = min(ranksPerHost, ranks)
    if let rate = try sharedMemoryRate(communicator) { model.sharedMemoryBytesPerSecond = rate }
    let compute = try given ?? measure(communicator)
    let network = NetworkFootprint(
      workload.kind, embeddingWidth: workload.embedding, inputSide: workload.inputSide, dropout: workload.dropout,
      recomputes: workload.recomputes, frozen: workload.frozen, optimizer: StepSettings(optimizer).optimizer,
      batch: workload.batchSize, threads: compute.threads)
    var step = StepModel(compute, model, classes: workload.classes, statistics: network.statisticsCount)
    step.matrixWork = network.matrixWork
    step.bucketBytes = bucketBytes
    step.gradientType = gradientType
    return Plan(step, network, ranks: ranks, memoryLimit: memoryLimit)
  }

  private func measure(_ communicator: Communicator) throws -> ComputeMeasurement {
    var probe = ComputeProbe(workload, optimizer)
    probe.steps = steps
    return try probe.measure(communicator)
  }

  /// Bytes per second between ranks of one host; nil unless several were started on one host.
  private func sharedMemoryRate(_ communicator: Communicator) throws -> Double? {
    let placement = try communicator.placement()
    guard communicator.size > 1, placement.nodeCount == 1 else { return nil }
    let seconds = try AllReduceBenchmark.exchangeSeconds(bytes: bucketBytes, steps: 5, gradientType, communicator)
    let p = Double(communicator.size)
    return 2 * Double(bucketBytes) / p * (p - 1) / seconds
  }

  private static func text(_ freeze: [String]) -> String { freeze.isEmpty ? "nothing" : freeze.joined(separator: " ") }

  /// A measurement holds for one network, batch and number of threads.
  private func check(_ compute: ComputeMeasurement, _ path: String) throws -> ComputeMeasurement {
    let rows: [(name: String, asked: String, measured: String)] = [
      ("--network", workload.kind.rawValue, compute.network),
      ("--input-size", "\(workload.inputSide)", "\(compute.inputSide)"),
      ("--embedding", "\(workload.embedding)", "\(compute.embedding)"),
      ("--batch-size", "\(workload.batchSize)", "\(compute.batchSize)"),
      ("--optimizer", optimizer.rawValue, (compute.optimizer ?? .sgd).rawValue),
      ("--freeze", Self.text(workload.freeze), Self.text(compute.freeze ?? [])),
      ("--threads", "\(threads ?? compute.threads)", "\(compute.threads)"),
    ]
    if let row = rows.first(where: { $0.asked != $0.measured }) {
      throw PlanError(
        "\(path.printableName) was measured with \(row.name) \(row.measured), not \(row.asked): measure again.")
    }
    return compute
  }
}

/// A plan that cannot be made as it was asked for.
package struct PlanError: Error, Equatable, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}
