import Files
import Foundation
package import MPI
import NeuralNetwork
import Training

/// What a rank knows of itself and its host.
package struct RankReport: Codable, Equatable, Sendable {
  package var rank: Int
  package var host: String
  /// The host's number, as `Placement.node`: two hosts may have one name.
  package var node: Int
  package var processor: String
  /// As `ProgramVersion.system`.
  package var system: String
  /// Logical processors of the host that are in use.
  package var hostCores: Int
  /// Those that this rank may run on.
  package var cores: [Int]
  package var threads: Int
  /// As `Libraries.kernels`.
  package var kernels: String
  /// Bytes that the host can give to programs without swapping.
  package var availableMemory: Int
  package var program: ProgramIdentity
  package var interfaces: [NetworkInterface]
  /// Open MPI's parameters in the environment, by mpirun's --mca or otherwise: "btl_tcp_if_include" and its value.
  package var parameters: [String: String]
  /// Why libraries would fight over cores; nil where they do not.
  package var secondPool: String?

  package init(
    rank: Int, host: String, node: Int, processor: String, system: String, hostCores: Int, cores: [Int], threads: Int,
    kernels: String, availableMemory: Int, program: ProgramIdentity, interfaces: [NetworkInterface],
    parameters: [String: String], secondPool: String?
  ) {
    self.rank = rank
    self.host = host
    self.node = node
    self.processor = processor
    self.system = system
    self.hostCores = hostCores
    self.cores = cores
    self.threads = threads
    self.kernels = kernels
    self.availableMemory = availableMemory
    self.program = program
    self.interfaces = interfaces
    self.parameters = parameters
    self.secondPool = secondPool
  }

  package var isBound: Bool { cores.count < hostCores }

  /// Whether Open MPI was told which networks to use.
  package var choosesInterface: Bool {
    parameters["btl_tcp_if_include"] != nil || parameters["btl_tcp_if_exclude"] != nil
  }

  /// This rank's, with `Parallel.threads` set before.
  package static func current(_ communicator: Communicator, _ placement: Placement) throws -> RankReport {
    let processor = field("model name", of: "/proc/cpuinfo") ?? "unknown processor"
    let kilobytes = field("MemAvailable", of: "/proc/meminfo")?.split(separator: " ").first.flatMap { Int($0) }
    return RankReport(
      rank: communicator.rank, host: placement.hostName, node: placement.node, processor: processor,
      system: ProgramVersion.system, hostCores: ProcessInfo.processInfo.processorCount,
      cores: list(field("Cpus_allowed_list", of: "/proc/self/status") ?? ""),
      threads: Parallel.threads, kernels: Libraries.kernels, availableMemory: (kilobytes ?? 0) * 1024,
      program: try .current(),
      interfaces: NetworkInterface.all(),
      parameters: Dictionary(
        uniqueKeysWithValues: ProcessInfo.processInfo.environment.filter { $0.key.hasPrefix("OMPI_MCA_") }
          .map { (String($0.key.dropFirst("OMPI_MCA_".count)), $0.value) }),
      secondPool: LoadedLibraries.current().secondPool)
  }

  /// All ranks', by rank. Collective.
  package static func gather(_ own: RankReport, _ communicator: Communicator) throws -> [RankReport] {
    try communicator.allGather(encoding: own)
  }

  /// The value behind "name:" in a file of /proc.
  private static func field(_ name: String, of path: String) -> String? {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
      let colon = line.firstIndex(of: ":")
    else { return nil }
    return line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
  }

  /// "0-2,8" as [0, 1, 2, 8].
  package static func list(_ text: String) -> [Int] {
    text.split(separator: ",").flatMap { part -> [Int] in
      let ends = part.split(separator: "-").compactMap { Int($0) }
      guard let first = ends.first, let last = ends.last, first <= last else { return [] }
      return Array(first...last)
    }
  }

  /// [0, 1, 2, 8] as "0-2,8".
  package static func text(_ list: [Int]) -> String {
    var runs: [ClosedRange<Int>] = []
    for core in list {
      if let last = runs.last, last.upperBound + 1 == core {
        runs[runs.count - 1] = last.lowerBound...core
      } else {
        runs.append(core...core)
      }
    }
    return runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
  }
}
