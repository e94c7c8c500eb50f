import MPI
import Testing

/// What rank 0's watchdog makes of the ranks' reports, and what it listens to.
@Suite struct WatchTests {
  private func rank(
    _ number: Int, in routine: String? = "MPI_Allreduce", step: Int? = 17, for seconds: Double, silent: Double? = 0.5
  ) -> Watch.Standing {
    Watch.Standing(
      rank: number, host: "node\(number + 1)", glance: .init(step: step, routine: routine, seconds: seconds),
      silentFor: silent)
  }

  @Test func nobodyIsSuspectedWithinTheTimeout() {
    #expect(Watch.verdict([rank(0, for: 9), rank(1, in: nil, for: 500), rank(2, for: 9)], timeout: 10) == nil)
    #expect(Watch.verdict([rank(0, in: nil, for: 9_000), rank(1, in: nil, for: 9_000)], timeout: 10) == nil)
  }

  @Test func aStoppedRankIsNamed() throws {
    let text = try #require(
      Watch.verdict([rank(0, for: 11), rank(1, step: 16, for: 2, silent: 10.5), rank(2, for: 11)], timeout: 10))
    #expect(
      text.hasPrefix("A collective operation hangs: rank 0 on node1 has waited in MPI_Allreduce in step 17 for 11 s"))
    #expect(text.contains("\n  rank 1 on node2: silent for 10 s, last seen in step 16"))
    #expect(!text.contains("rank 2"))
  }

  @Test func aBusyRankIsNamed() throws {
    let text = try #require(Watch.verdict([rank(0, in: nil, for: 12), rank(1, for: 11)], timeout: 10))
    #expect(text.contains("rank 1 on node2 has waited") && text.contains("\n  rank 0 on node1: busy outside of MPI"))
  }

  /// Rank 0 does long work of its own. As long as it gets something done, the others wait, also shortly after it has
  /// come to them; then it is named with its work.
  @Test func aRankThatGetsSomethingDoneIsWaitedFor() throws {
    func verdict(idle: Double, in routine: String? = nil, silent: Double = 0.5) -> String? {
      let busy = Watch.Standing(
        rank: 0, host: "node1",
        glance: .init(step: 17, routine: routine, seconds: routine == nil ? 50 : 1, work: "writing", idleSeconds: idle),
        silentFor: silent)
      return Watch.verdict([busy, rank(1, for: 50), rank(2, for: 50)], timeout: 10)
    }
    #expect(verdict(idle: 3) == nil)
    #expect(verdict(idle: 3, in: "MPI_Barrier") == nil)
    let text = try #require(verdict(idle: 11))
    #expect(text.contains("\n  rank 0 on node1: busy with writing in step 17, of which nothing got done for 11 s"))
    #expect(verdict(idle: 3, silent: 12)?.contains("rank 0 on node1: silent") == true)
  }

  @Test func aRankThatNeverReported() throws {
    let text = try #require(
      Watch.verdict([rank(0, for: 11), rank(1, in: nil, step: nil, for: 11, silent: nil)], timeout: 10))
    #expect(text.contains("\n  rank 1 on node2: never heard of"))
  }

  /// A report from before the rank was stopped tells of a wait that is no longer known of.
  @Test func aSilentRankDoesNotWait() throws {
    let text = try #require(Watch.verdict([rank(0, for: 30), rank(1, for: 20, silent: 12)], timeout: 10))
    #expect(text.contains("\n  rank 1 on node2: silent"))
  }

  @Test func allWait() throws {
    let text = try #require(Watch.verdict([rank(0, for: 11), rank(1, in: "MPI_Barrier", for: 10)], timeout: 10))
    #expect(
      text.hasPrefix("All ranks wait for one another") && text.contains("rank 1 on node2: in MPI_Barrier in step 17"))
  }

  @Test(arguments: [nil, "MPI_Iallreduce"], [nil, 0, 1_000_000]) func messagesTravel(routine: String?, step: Int?)
    throws
  {
    let token: UInt64 = 0xFEDC_BA98_7654_3210
    let message = WatchMessage(
      token: token, kind: .report, rank: 3,
      glance: .init(
        step: step, routine: routine, seconds: 2.5, work: step.map { _ in "writing the model" },
        idleSeconds: routine == nil ? 7.25 : .infinity))
    #expect(message.bytes.count == WatchMessage.byteCount)
    #expect(WatchMessage(message.bytes, token: token, ranks: 4) == message)
  }

  @Test func strangersAreNotHeard() {
    let message = WatchMessage(token: 7, kind: .farewell, rank: 3, glance: .init(routine: "MPI_Wait", seconds: 0))
    #expect(WatchMessage(message.bytes, token: 8, ranks: 4) == nil)
    #expect(WatchMessage(message.bytes, token: 7, ranks: 3) == nil)
    #expect(WatchMessage(Array(message.bytes.dropLast()), token: 7, ranks: 4) == nil)
    for (position, value) in [(8, 9), (48, 10), (49, 200), (96, 10)] as [(Int, UInt8)] {
      var bytes = message.bytes
      bytes[position] = value
      #expect(WatchMessage(bytes, token: 7, ranks: 4) == nil, "byte \(position) = \(value)")
    }
  }

  @Test func interfacesAreSelectedAsByOpenMPI() {
    let interface = NetworkInterface(name: "eth0", address: "10.77.3.9", prefixLength: 24)
    for selection in ["eth0", "ib0,eth0", "10.77.3.0/24", "10.64.0.0/10", "0.0.0.0/0", "10.77.3.9/32"] {
      #expect(interface.isSelected(by: selection), "\(selection)")
    }
    for selection in ["", "eth", "eth01", "10.77.4.0/24", "10.77.3.0", "10.77.3/24", "10.77.3.0/33", "10.77.3.x/24"] {
      #expect(!interface.isSelected(by: selection), "\(selection)")
    }
  }

  @Test(arguments: [("docker0", true), ("br-0a1b2c", true), ("virbr0", true), ("bridge1", false), ("eth0", false)])
  func bridgesThatLeadNowhere(name: String, isBridge: Bool) {
    #expect(NetworkInterface(name: name, address: "172.17.0.1", prefixLength: 16).isBridgeOfThisHost == isBridge)
  }
}
