import Distributed
import Foundation
import MPI
import Testing
import Training

extension RankTests {
  @Suite struct TraceFileTests {
    private func recorder() -> TraceRecorder {
      let recorder = TraceRecorder(capacity: 20)
      recorder.begin(step: 0)
      for _ in 0..<20 { recorder.span(.forward, from: recorder.now) }
      return recorder
    }

    private struct Event: Decodable {
      var ph: String
      var pid: Int
    }

    /// A part with more bytes than one message takes: here 64, in a long run's 2^28.
    @Test(arguments: [1 << 28, 64]) func partsOfAnyLength(maximumCount: Int) throws {
      var communicator = RankTests.world
      communicator.maximumCount = maximumCount
      let path = NSTemporaryDirectory() + "/trace-\(UUID().uuidString).json"
      #expect(try TraceFile.write(recorder(), to: path, communicator) == nil)
      if communicator.rank == 0 {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let events = try JSONDecoder().decode([Event].self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        for rank in 0..<communicator.size { #expect(events.count { $0.pid == rank && $0.ph == "X" } == 20) }
      }
      try communicator.barrier()
    }

    /// Nobody waits for rank 0, which has no file to write what it is sent.
    @Test func aFileThatCannotBeWritten() throws {
      let world = RankTests.world
      let error = try TraceFile.write(recorder(), to: "/nowhere/trace.json", world)
      #expect((error?.path == "/nowhere/trace.json") == (world.rank == 0))
      #expect(try world.allReduce(1) == world.size)
    }
  }
}
