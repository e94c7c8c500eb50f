import Foundation
import Glibc
import MPI
import Synchronization
import Testing

/// The watchdogs' connections, both ends in this process.
@Suite(.serialized) struct WatchSocketTests {
  private static let loopback: UInt32 = 0x7F00_0001
  private let token: UInt64 = 0x5EED
  private let hosts = ["node0", "node1", "node2"]

  /// A descriptor that never wakes anybody, until it is written to.
  private final class Pipe {
    let ends: [CInt]
    init() {
      var ends: [CInt] = [0, 0]
      precondition(pipe(&ends) == 0)
      self.ends = ends
    }
    func write() { _ = Glibc.write(ends[1], "x", 1) }
    deinit { for end in ends { close(end) } }
  }

  private func client(rank: Int, port: UInt16, token: UInt64? = nil) -> WatchClient {
    WatchClient(
      rank: rank, token: token ?? self.token, addresses: [Self.loopback], port: port, host: "node0",
      hint: "Wait longer.")
  }

  @Test func bytesArriveAndTheEndIsSeen() throws {
    let (listening, port) = try #require(WatchSocket.listening())
    #expect(listening.accepted() == nil)
    let mine = try #require(WatchSocket.connected(to: Self.loopback, port: port))
    #expect(WatchSocket.wait([listening.descriptor], seconds: 5) == [true])
    var theirs = listening.accepted()
    #expect(theirs != nil)
    #expect(try mine.receive() == nil)
    #expect(WatchSocket.wait([mine.descriptor], seconds: 0) == [false])
    let bytes = (0..<200).map { UInt8($0) }
    try theirs?.send(bytes)
    #expect(WatchSocket.wait([mine.descriptor], seconds: 5) == [true])
    #expect(try mine.receive() == bytes)
    theirs = nil
    #expect(WatchSocket.wait([mine.descriptor], seconds: 5) == [true])
    #expect(try mine.receive() == [])
    // The other end is gone: at the latest the second time the system says so, and it was the process, not the host.
    let error = #expect(throws: WatchSocketError.self) { () throws in
      for _ in 0..<100 {
        try mine.send(bytes)
        usleep(10_000)
      }
    }
    #expect(error?.isHostLost == false)
  }

  @Test func nobodyListens() throws {
    var listening = WatchSocket.listening()
    let port = try #require(listening).port
    listening = nil
    #expect(WatchSocket.connected(to: Self.loopback, port: port) == nil)
  }

  @Test(arguments: [ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN, ECONNRESET, EPIPE])
  func whatTellsOfALostHost(code: CInt) {
    #expect(WatchSocketError(code: code).isHostLost == ![ECONNRESET, EPIPE].contains(code))
  }

  /// Reports come to rank 0, and strangers are shown the door.
  @Test func reportsAreHeard() throws {
    let (listening, port) = try #require(WatchSocket.listening())
    let server = WatchServer(listening, token: token, hosts: hosts)
    let (first, stranger) = (client(rank: 1, port: port), client(rank: 2, port: port, token: 1))
    #expect(first.isConnected && stranger.isConnected)
    let wake = Pipe()
    #expect(server.listen(wake: wake.ends[0]) == nil)
    let standings = server.standings(own: .init(seconds: 3))
    #expect(standings.map(\.rank) == [0, 1, 2] && standings.map(\.host) == hosts)
    #expect(standings[0].glance.seconds == 3)
    #expect(try #require(standings[1].silentFor) < 5)
    #expect(standings[2].silentFor == nil, "A stranger spoke for rank 2")
    // A wake-up ends the wait at once: nothing is diagnosed.
    wake.write()
    let start = ContinuousClock.now
    #expect(server.listen(wake: wake.ends[0]) == nil && first.exchange(wake: wake.ends[0], timeout: 0) == nil)
    #expect(ContinuousClock.now - start < .milliseconds(900))
  }

  /// A rank that says farewell may go; one that goes without is told of, and so is rank 0 itself.
  @Test func whoEndsWithoutAWordIsNamed() throws {
    let (listening, port) = try #require(WatchSocket.listening())
    let server = WatchServer(listening, token: token, hosts: hosts)
    var clients: [WatchClient?] = [client(rank: 1, port: port), client(rank: 2, port: port)]
    // A server that is gone: its system accepts, and nobody is there any more.
    var other = WatchSocket.listening()
    let orphan = client(rank: 1, port: try #require(other).port)
    var accepted = other?.socket.accepted()
    #expect(accepted != nil && orphan.isConnected)
    let wake = Pipe()
    #expect(server.listen(wake: wake.ends[0]) == nil)
    clients[0]?.sayFarewell()
    clients = []
    accepted = nil
    other = nil
    // mpirun has five seconds to tell why.
    let problems = Mutex<[Watch.Problem?]>([nil, nil])
    nonisolated(unsafe) let (a, b) = (server, orphan)
    let descriptor = wake.ends[0]
    DispatchQueue.concurrentPerform(iterations: 2) { index in
      let end = ContinuousClock.now + .seconds(20)
      var problem: Watch.Problem?
      while problem == nil, ContinuousClock.now < end {
        problem = index == 0 ? a.listen(wake: descriptor) : b.exchange(wake: descriptor, timeout: 1e9)
      }
      problems.withLock { $0[index] = problem }
    }
    let found = problems.withLock { $0 }
    #expect(found[0] == .loss("rank 2 on node2 has ended without a word: it was killed, or it crashed."))
    #expect(found[1] == .loss("rank 0 on node0 has ended without a word: it was killed, or it crashed."))
  }
}
