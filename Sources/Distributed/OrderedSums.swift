package import MPI
import NeuralNetwork
import VectorKernels

/// Sums over all ranks, made in a fixed order while the ranks wait: the bits depend only on the values and on the number of
/// ranks. The MPI library's own reductions promise no order: it differs by library, network and size.
///
/// P = ranks, n = elements.
///
///     scatter    rank r gets everybody's block r and adds the P of them up: a rank sends (P - 1) / P n
///     sum        the same with P equal pieces, whose sums go to everybody: 2 (P - 1) / P n
///
/// No reduction can send less. `SumExchange` does the same for gradients, while a rank computes. Memory is allocated once.
package final class OrderedSums {
  private let communicator: Communicator
  private let group: MessageGroup
  /// The other ranks' values of this rank's piece, P rows.
  private let incoming: UnsafeMutableBufferPointer<Double>
  /// For each thread: pointers to the ranks' rows.
  private var rows: [UnsafeMutablePointer<Float>] = []

  /// Gradients use other tags.
  private static let tag = 0
  /// The fewest Floats that are given to a thread.
  private static let line = 16

  /// `capacity`: the most elements that `sum` is given.
  package init(_ communicator: Communicator, capacity: Int) {
    self.communicator = communicator
    group = MessageGroup(communicator, capacity: 2 * (communicator.size - 1))
    incoming = .allocate(capacity: Self.elements(capacity, communicator.size))
    incoming.initialize(repeating: 0)
  }

  deinit { incoming.deallocate() }

  package static func bytes(capacity: Int, ranks: Int) -> Int {
    elements(capacity, ranks) * MemoryLayout<Double>.stride
  }

  package var bytes: Int { incoming.count * MemoryLayout<Double>.stride }

  /// P rows of a piece.
  private static func elements(_ capacity: Int, _ ranks: Int) -> Int { ranks * ((capacity + ranks - 1) / ranks) }

  /// Replaces each element by its sum over all ranks, added in the order of the ranks.
  package func sum(_ values: UnsafeMutableBufferPointer<Double>) throws(MPIError) {
    let (rank, size) = (communicator.rank, communicator.size)
    guard size > 1, let start = values.baseAddress else { return }
    let most = (values.count + size - 1) / size
    precondition(most * size <= incoming.count, "\(values.count) elements to sum in memory of \(incoming.count)")
    let mine = Share.range(of: values.count, rank, size)
    let rows = incoming.baseAddress!
    try exchange(most) { peer in
      (start + piece(peer).lowerBound, piece(peer).count)
    } receiving: { peer in
      (rows + peer * most, mine.count)
    }
    for index in 0..<mine.count {
      let own = start[mine.lowerBound + index]
      var sum = rank == 0 ? own : rows[index]
      for peer in 1..<size { sum += peer == rank ? own : rows[peer * most + index] }
      start[mine.lowerBound + index] = sum
    }
    try exchange(most) { _ in
      (start + mine.lowerBound, mine.count)
    } receiving: { peer in
      (start + piece(peer).lowerBound, piece(peer).count)
    }
    func piece(_ peer: Int) -> Range<Int> { Share.range(of: values.count, peer, size) }
  }

  /// Writes the sum over all ranks of this rank's block of `parts` to `result`, added pair by pair in the order of the
  /// ranks as `PairwiseSum` does.
  ///
  /// `parts` has a block of `blocks.counts[r]` rows of `width` Floats for each rank r; `staging` takes P times this rank's
  /// block. Both are scratch memory afterwards. The three do not overlap.
  package func scatter(
    _ parts: UnsafeMutablePointer<Float>, _ blocks: Blocks, width: Int, staging: UnsafeMutablePointer<Float>,
    into result: UnsafeMutablePointer<Float>
  ) throws(MPIError) {
    let (rank, size) = (communicator.rank, communicator.size)
    let count = blocks.counts[rank] * width
    let own = parts + blocks.starts[rank] * width
    if size > 1 {
      let most = blocks.counts.reduce(0, max) * width
      try exchange(most) { peer in
        (parts + blocks.starts[peer] * width, blocks.counts[peer] * width)
      } receiving: {
        (staging + $0 * count, count)
      }
    }
    let threads = Parallel.threads
    while rows.count < size * threads { rows.append(own) }
    rows.withUnsafeMutableBufferPointer { rows in
      nonisolated(unsafe) let rows = rows.baseAddress!
      Parallel.run { part, parts in
        let lines = Share.range(of: (count + Self.line - 1) / Self.line, part, parts)
        let (start, end) = (min(lines.lowerBound * Self.line, count), min(lines.upperBound * Self.line, count))
        guard start < end else { return }
        let mine = rows + part * size
        for peer in 0..<size { mine[peer] = (peer == rank ? own : staging + peer * count) + start }
        PairwiseSum.add(mine, rowCount: size, count: end - start)
        (result + start).update(from: mine[0], count: end - start)
      }
    }
  }

  /// Sends each other rank what `sending` says and gets from it what `receiving` says, `most` elements at most. Each rank
  /// begins with its neighbour, so that no rank is everybody's first.
  private func exchange<S: MPIScalar>(
    _ most: Int, sending: (Int) -> (UnsafeMutablePointer<S>, Int), receiving: (Int) -> (UnsafeMutablePointer<S>, Int)
  ) throws(MPIError) {
    do {
      for chunk in Chunks(of: most, limit: communicator.maximumCount) {
        for distance in 1..<communicator.size {
          let peer = (communicator.rank + distance) % communicator.size
          let (theirs, mine) = (sending(peer), receiving(peer))
          let arriving = chunk.clamped(to: 0..<mine.1)
          let leaving = chunk.clamped(to: 0..<theirs.1)
          if !arriving.isEmpty {
            try group.receive(
              UnsafeMutableBufferPointer(start: mine.0 + arriving.lowerBound, count: arriving.count), from: peer,
              tag: Self.tag)
          }
          if !leaving.isEmpty {
            try group.send(
              UnsafeBufferPointer(start: theirs.0 + leaving.lowerBound, count: leaving.count), to: peer, tag: Self.tag)
          }
        }
        try group.wait()
      }
    } catch {
      group.abandon()
      throw error
    }
  }
}
