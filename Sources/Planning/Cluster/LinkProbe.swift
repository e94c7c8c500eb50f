package import MPI
import VectorKernels

/// Measures the links between hosts: one rank of each sends to one of each other, back and forth.
///
/// Pairs that share no host are measured at the same time, as in a tournament, so that many hosts take not much longer
/// than two. On one host the first two ranks are measured.
package struct LinkProbe {
  package struct Link: Codable, Equatable, Sendable {
    package let from: String
    package let to: String
    /// Half of the round trip of 8 bytes, the median.
    package let latencySeconds: Double
    /// Of large messages, their latency subtracted.
    package let bytesPerSecond: Double

    package init(from: String, to: String, latencySeconds: Double, bytesPerSecond: Double) {
      self.from = from
      self.to = to
      self.latencySeconds = latencySeconds
      self.bytesPerSecond = bytesPerSecond
    }
  }

  /// The most rounds: with more hosts than that, each is measured with this many others.
  package static let maximumRounds = 15

  /// What one rank measured: on the rank that speaks for the host.
  private struct Measurement {
    var latency = 0.0
    var bytesPerSecond = 0.0
  }

  /// The ranks that take part, and their hosts' names.
  private let players: [(rank: Int, host: String)]

  package init(_ ranks: [RankReport]) {
    let leaders = Dictionary(grouping: ranks, by: \.node).sorted { $0.key < $1.key }.compactMap(\.value.first)
    players = (leaders.count > 1 ? leaders : Array(ranks.prefix(2))).map { ($0.rank, $0.host) }
  }

  /// The links, on every rank the same, and the bytes that this rank sent. Collective.
  package func run(_ communicator: Communicator) throws -> (links: [Link], sentBytes: Int) {
    var links: [Link] = []
    var sent = 0
    for round in Self.rounds(players.count) {
      let pair = round.first { players[$0.0].rank == communicator.rank || players[$0.1].rank == communicator.rank }
      var mine = Measurement()
      try communicator.barrier()
      if let pair {
        let leads = players[pair.0].rank == communicator.rank
        mine = try measure(communicator, with: players[leads ? pair.1 : pair.0].rank, leads: leads, &sent)
      }
      let all = try communicator.allGather(
        [mine.latency, mine.bytesPerSecond], counts: Array(repeating: 2, count: communicator.size))
      for (first, second) in round {
        let rank = players[first].rank
        links.append(
          Link(
            from: players[first].host, to: players[second].host, latencySeconds: all[2 * rank],
            bytesPerSecond: all[2 * rank + 1]))
      }
    }
    return (links, sent)
  }

  /// Rounds of pairs of 0..<count in which each number occurs once at most; all pairs where the rounds suffice.
  package static func rounds(_ count: Int) -> [[(Int, Int)]] {
    guard count > 1 else { return [] }
    let even = count + count % 2
    return (0..<min(even - 1, maximumRounds)).map { round in
      (0..<even / 2).compactMap { place in
        // The circle method: the last one stays, the others move on by one each round.
        let a = place == 0 ? even - 1 : (round + place) % (even - 1)
        let b = (round + even - 1 - place) % (even - 1)
        return a < count && b < count ? (min(a, b), max(a, b)) : nil
      }
    }
  }

  private func measure(
    _ communicator: Communicator, with other: Int, leads: Bool, _ sent: inout Int
  ) throws -> Measurement {
    let small = AlignedMemory(count: 2)
    let latency = try pingPong(communicator, small, with: other, leads: leads, 200, &sent)
    // A megabyte first, so that slow links are not measured for minutes.
    let megabyte = AlignedMemory(count: 1 << 18)
    var seconds = try pingPong(communicator, megabyte, with: other, leads: leads, 5, &sent)
    var bytes = megabyte.elements.count * 4
    // Both must decide alike: the leader's time counts.
    if try agree(communicator, seconds < 0.03, with: other, leads: leads) {
      let large = AlignedMemory(count: 1 << 21)
      seconds = try pingPong(communicator, large, with: other, leads: leads, 9, &sent)
      bytes = large.elements.count * 4
    }
    return Measurement(latency: latency, bytesPerSecond: Double(bytes) / max(seconds - latency, 1e-9))
  }

  /// The median of half the round trips, in seconds.
  private func pingPong(
    _ communicator: Communicator, _ memory: AlignedMemory, with other: Int, leads: Bool, _ count: Int, _ sent: inout Int
  ) throws -> Double {
    memory.elements.update(repeating: 1)
    sent += (count + 2) * 4 * memory.elements.count
    return try Timing.measure(count) {
      if leads { try communicator.send(UnsafeBufferPointer(memory.elements), to: other) }
      try communicator.receive(memory.elements, from: other)
      if !leads { try communicator.send(UnsafeBufferPointer(memory.elements), to: other) }
    }.median / 2
  }

  private func agree(_ communicator: Communicator, _ own: Bool, with other: Int, leads: Bool) throws -> Bool {
    var answer: [Int32] = [own ? 1 : 0]
    try answer.withUnsafeMutableBufferPointer { buffer in
      if leads {
        try communicator.send(UnsafeBufferPointer(buffer), to: other)
      } else {
        try communicator.receive(buffer, from: other)
      }
    }
    return answer[0] == 1
  }
}
