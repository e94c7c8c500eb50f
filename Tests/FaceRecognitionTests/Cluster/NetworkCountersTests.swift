import Planning
import Testing

@Suite struct NetworkCountersTests {
  private let table = """
    Inter-|   Receive                                                |  Transmit
     face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
        lo: 5000      10    0    0    0     0          0         0  5000      10    0    0    0     0       0          0
      eth0: 1234567  100    0    0    0     0          0         0  7654321     99    0    0    0     0       0          0
     veth1:1         100    0    0    0     0          0         0  79     99    0    0    0     0       0          0
    """

  @Test func allButTheLoopback() {
    #expect(NetworkCounters(table).sentElsewhere == 7_654_321 + 79)
    #expect(NetworkCounters("nonsense").sentElsewhere == nil && NetworkCounters("").sentElsewhere == nil)
  }
}
