import Files
import Foundation
import Planning
import Testing

@Suite struct PlanInputTests {
  private func link(_ text: String) throws -> LinkModel {
    let path = NSTemporaryDirectory() + "link-\(UUID().uuidString).json"
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try PlanInput.link(from: path)
  }

  @Test func theSlowestLinkCounts() throws {
    let one = try link(#"{"latencySeconds": 5e-5, "bytesPerSecond": 125000000}"#)
    #expect(one == LinkModel(latencySeconds: 5e-5, bytesPerSecond: 1.25e8))
    let several = try link(
      #"""
      {"ranks": 3, "links": [
        {"from": 0, "to": 1, "latencySeconds": 2e-5, "bytesPerSecond": 1.1e9},
        {"from": 0, "to": 2, "latencySeconds": 9e-5, "bytesPerSecond": 2e8},
        {"from": 1, "to": 2, "latencySeconds": 3e-5, "bytesPerSecond": 1e8}]}
      """#)
    #expect(several == LinkModel(latencySeconds: 9e-5, bytesPerSecond: 1e8))
  }

  @Test(arguments: [
    "", "{}", "[1, 2", #"{"latencySeconds": 1}"#, #"{"latencySeconds": -1, "bytesPerSecond": 1}"#,
    #"{"latencySeconds": 0, "bytesPerSecond": 0}"#, #"{"latencySeconds": "1", "bytesPerSecond": "2"}"#,
  ])
  func refusals(_ text: String) { #expect(throws: PlanInput.Failure.self) { try link(text) } }

  @Test func missingFiles() {
    #expect(throws: FileError.self) { try PlanInput.link(from: "/nowhere/link.json") }
    #expect(throws: FileError.self) { try PlanInput.compute(from: "/nowhere/plan.json") }
  }
}
