import Foundation
import TestSupport
import Testing

/// Several hosts, made by scripts/cluster-test.sh out of network namespaces: needs root. scripts/test.sh leaves this suite
/// out, and says so, where it may not make them.
@Suite(.serialized) struct ClusterTests {
  private static let scripts = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../../scripts").standardizedFileURL.path

  private static let environment = [
    "COSFACE_BINARY": Subprocess.products.appendingPathComponent("cosface").path
  ]

  private func cluster(_ arguments: [String]) throws -> Subprocess.Outcome {
    try Subprocess.run([Self.scripts + "/cluster-test.sh"] + arguments, environment: Self.environment)
  }

  private struct Report: Decodable {
    struct Rank: Decodable {
      let host: String
    }
    struct Link: Decodable {
      let from: String
      let to: String
    }
    let ranks: [Rank]
    let links: [Link]
    let carriers: [String: [String]]
    let latencySeconds: Double
    let bytesPerSecond: Double
    let data: String?
    let warnings: [String]
  }

  /// A link shaped to 100 Mbit/s cannot carry more, whatever else the machine does.
  @Test func checkMeasuresTheLinksOfThreeHosts() throws {
    let faces = try FaceFolder(people: 3, images: 2)
    let outcome = try cluster(["3", "--rate", "100mbit", "--", "check", "--json", "--data", faces.path])
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    let line = try #require(outcome.lines.first { $0.hasPrefix("{") }, "\(outcome.text)")
    let report = try JSONDecoder().decode(Report.self, from: Data(line.utf8))
    #expect(report.ranks.map(\.host) == ["node1", "node2", "node3"])
    #expect(Set(report.links.map { "\($0.from)-\($0.to)" }) == ["node1-node2", "node1-node3", "node2-node3"])
    #expect(report.carriers == ["node1": ["eth0"], "node2": ["eth0"], "node3": ["eth0"]])
    #expect(report.bytesPerSecond > 1e5 && report.bytesPerSecond < 14e6, "\(report.bytesPerSecond)")
    #expect(report.latencySeconds > 1e-6 && report.latencySeconds < 1)
    #expect(report.data?.count == 32 && report.warnings.isEmpty, "\(outcome.text)")
  }

  /// The drills check themselves; each ends with one line. Cut links take minutes: `scripts/drills/cluster.sh link lost`.
  @Test func drills() throws {
    let faces = try FaceFolder(people: 4, images: 7)
    let drills = ["hosts", "kill", "stop", "data", "program"]
    let outcome = try Subprocess.run(
      [Self.scripts + "/drills/cluster.sh", "--data", faces.path] + drills, environment: Self.environment)
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    for drill in drills {
      #expect(outcome.lines.contains { $0.hasPrefix("ok      \(drill) ") }, "\(outcome.text)")
    }
  }

  @Test func whatIsMadeEndsWithTheScript() throws {
    let (before, folders) = (try namespaces(), try clusterFolders())
    let outcome = try cluster(["2", "--before", "exit 7", "--", "check"])
    #expect(outcome.exitCode == 7, "\(outcome.text)")
    #expect(try namespaces() == before)
    #expect(try clusterFolders() == folders)
  }

  /// Folders of clusters that were made; others may have been killed before.
  private func clusterFolders() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: NSTemporaryDirectory()).filter {
      $0.hasPrefix("cosface-cluster.")
    }.sorted()
  }

  /// Network namespaces of this machine.
  private func namespaces() throws -> [String] {
    try Subprocess.run(["lsns", "--noheadings", "--type", "net", "--output", "NS"]).lines.sorted()
  }

  @Test(arguments: [
    (["many", "--", "check"], "how many hosts"), (["2", "--rate", "fast", "--", "check"], "--rate is such as 1gbit"),
    (["2", "--slots", "0", "--", "check"], "--slots needs a number"), (["2"], "what should cosface do?"),
    (["2", "--hostfile", "x", "--", "check"], "--hostfile is made here"),
  ])
  func wrongOptionsAreExplained(arguments: [String], message: String) throws {
    let outcome = try cluster(arguments)
    #expect(outcome.exitCode == 2 && outcome.lines.count == 1, "\(outcome.text)")
    #expect(outcome.text.hasPrefix("cluster-test.sh: ") && outcome.text.contains(message), "\(outcome.text)")
  }
}
