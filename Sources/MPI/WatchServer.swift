import Glibc

/// Rank 0's ear: collects the reports of all other ranks.
///
/// It is used by the watchdog's thread alone.
package final class WatchServer {
  private let listening: WatchSocket
  private let token: UInt64
  private let hosts: [String]
  private let started = Activity.now
  private var connections: [Connection] = []
  private var heard: [(glance: Activity.Glance, time: UInt64)?]
  /// Ranks that closed their connection in order, or without a word, and when.
  private var farewells: Set<Int> = []
  private var vanished: [Int: UInt64] = [:]
  /// Ranks whose host no longer acknowledges, and when the first of them was found.
  private var lost: Set<Int> = []
  private var firstLoss: UInt64?

  private struct Connection {
    let socket: WatchSocket
    /// Of the messages that have not come whole.
    var bytes: [UInt8] = []
    var rank: Int?
    var isOpen = true
  }

  package init(_ listening: WatchSocket, token: UInt64, hosts: [String]) {
    self.listening = listening
    self.token = token
    self.hosts = hosts
    heard = Array(repeating: nil, count: hosts.count)
    // A connection for each rank: the soft limit is often 1,024.
    var limit = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
      limit.rlim_cur = limit.rlim_max
      setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
  }

  /// Listens until the next look is due, or `wake` is written to. Returns what ends the job, if something does.
  package func listen(wake: CInt) -> Watch.Problem? {
    let end = Activity.now + UInt64(Watch.interval) * 1_000_000_000
    while Activity.now < end {
      let ready = WatchSocket.wait(
        [wake, listening.descriptor] + connections.map(\.socket.descriptor), seconds: Watch.interval)
      if ready[0] { return nil }
      if ready[1] { while let socket = listening.accepted() { connections.append(Connection(socket: socket)) } }
      for index in connections.indices where index + 2 < ready.count && ready[index + 2] {
        do throws(WatchSocketError) { try read(index) } catch { close(index, error) }
      }
      connections.removeAll { !$0.isOpen }
    }
    // A moment longer, for others that went together with the first.
    if let firstLoss, Activity.now - firstLoss > 1_000_000_000 { return .loss(describeLoss()) }
    let gone = vanished.first { Activity.now - $0.value > 5_000_000_000 }
    return gone.map {
      .loss("rank \($0.key) on \(hosts[$0.key]) has ended without a word: it was killed, or it crashed.")
    }
  }

  /// All ranks, of which `own` is rank 0's.
  package func standings(own: Activity.Glance) -> [Watch.Standing] {
    hosts.indices.map { rank in
      if rank == 0 { return .init(rank: 0, host: hosts[0], glance: own, silentFor: 0) }
      guard let last = heard[rank] else {
        let age = Double(Activity.now - started) / 1e9
        return .init(rank: rank, host: hosts[rank], glance: .init(seconds: age), silentFor: nil)
      }
      let age = Double(Activity.now - last.time) / 1e9
      return .init(rank: rank, host: hosts[rank], glance: last.glance, silentFor: age)
    }
  }

  private func read(_ index: Int) throws(WatchSocketError) {
    guard let received = try connections[index].socket.receive() else { return }
    if received.isEmpty { throw WatchSocketError(code: ECONNRESET) }
    connections[index].bytes += received
    while connections[index].bytes.count >= WatchMessage.byteCount {
      let bytes = Array(connections[index].bytes.prefix(WatchMessage.byteCount))
      connections[index].bytes.removeFirst(WatchMessage.byteCount)
      guard let message = WatchMessage(bytes, token: token, ranks: hosts.count) else {
        // Some other program that came to this port: not ours to listen to.
        connections[index].isOpen = false
        return
      }
      connections[index].rank = message.rank
      heard[message.rank] = (message.glance, Activity.now)
      if message.kind == .farewell { farewells.insert(message.rank) }
      try connections[index].socket.send([1])
    }
  }

  /// A process that is gone gives mpirun some seconds to tell why.
  private func close(_ index: Int, _ error: WatchSocketError) {
    connections[index].isOpen = false
    guard let rank = connections[index].rank, !farewells.contains(rank) else { return }
    if error.isHostLost {
      lost.insert(rank)
      firstLoss = firstLoss ?? Activity.now
    } else {
      vanished[rank] = Activity.now
    }
  }

  private func describeLoss() -> String {
    let names = Set(lost.map { hosts[$0] }).sorted()
    let others = Set(hosts).subtracting([hosts[0]])
    if others.count > 1, others.isSubset(of: names) {
      return "\(hosts[0]) has lost all other hosts (\(names.count)): its own link is down, or the network between them."
    }
    let ranks = lost.sorted().prefix(16).map(String.init).joined(separator: ", ")
    return
      "lost \(names.joined(separator: ", ")) (rank \(ranks)): nothing is acknowledged any more. The host is down, or its "
      + "link is."
  }
}
