package import MPI
import NeuralNetwork
import VectorKernels

/// Replaces a range of Floats by its sum over all ranks, with messages between every pair of ranks:
///
///     scatter    the range falls into P pieces; rank r gets everybody's values of piece r and adds them up
///     gather     rank r sends the sum of its piece to everybody
///
/// P = ranks, n = Floats. Each rank sends 2 (P - 1) / P n values, the least that is possible, in 2 (P - 1) messages. Open
/// MPI's own `MPI_Iallreduce` in place goes up and down a tree instead: up to 2 log2 P n values over one link.
///
/// Contributions are always added pair by pair in the order of the ranks. So the bits depend on the number of ranks alone,
/// not on the size of buckets or on the MPI library. bfloat16 rounds each rank's values and the sum; the additions are in
/// Float. Every rank gets the same bits.
///
/// All ranks begin the same ranges in the same order. Nothing here blocks: `advance()` goes on as far as messages have
/// come. Memory for a size is allocated at its first use, and kept.
package final class SumExchange {
  private let communicator: Communicator
  private let group: MessageGroup
  private var stage = Stage.idle
  private var range = UnsafeMutableBufferPointer<Float>(start: nil, count: 0)
  private var type = GradientType.float32
  private var tag = 0
  /// Values of this rank's piece from the other ranks, P rows of `pieceCapacity` elements: Floats or bfloat16.
  private var incoming = AlignedMemory(count: 0)
  private var incomingHalves = HalfMemory(count: 0)
  /// bfloat16 only: what this rank sends, and the sums that it receives.
  private var outgoing = HalfMemory(count: 0)
  /// bfloat16 only: P rows of a block as Floats, for each thread.
  private var blocks = AlignedMemory(count: 0)
  /// For each thread: pointers to the rows of its block.
  private var rows: [UnsafeMutablePointer<Float>] = []

  private enum Stage { case idle, scatter, gather }

  /// Floats that are summed at a time: P rows of them stay in the cache.
  private static let block = 512
  /// Pieces begin on cache lines.
  private static let line = 16

  package init(_ communicator: Communicator) {
    self.communicator = communicator
    group = MessageGroup(communicator, capacity: 2 * (communicator.size - 1))
  }

  /// Bytes that this rank has sent through here.
  package var sentBytes: Int { group.sentBytes }
  var bytes: Int { incoming.bytes + incomingHalves.bytes + outgoing.bytes + blocks.bytes }

  /// Starts on `range`; `tag` and the one after it belong to it alone until all ranks have finished it.
  package func begin(_ range: UnsafeMutableBufferPointer<Float>, as type: GradientType, tag: Int) throws(MPIError) {
    precondition(stage == .idle, "An exchange that has not finished the last range")
    (self.range, self.type, self.tag) = (range, type, tag)
    reserve()
    let mine = piece(communicator.rank)
    stage = .scatter
    if type == .bfloat16 { encode() }
    try forEachPeer { (peer) throws(MPIError) in
      let theirs = piece(peer)
      switch type {
      case .float32:
        if !mine.isEmpty {
          try group.receive(.init(start: row(peer), count: mine.count), from: peer, tag: tag)
        }
        if !theirs.isEmpty { try group.send(.init(rebasing: range[theirs]), to: peer, tag: tag) }
      case .bfloat16:
        if !mine.isEmpty {
          try group.receive(.init(start: halfRow(peer), count: mine.count), from: peer, tag: tag)
        }
        if !theirs.isEmpty { try group.send(.init(rebasing: halves[theirs]), to: peer, tag: tag) }
      }
    }
  }

  /// Goes on as far as possible; true once the range holds the sum, and another may begin.
  package func advance() throws(MPIError) -> Bool {
    switch stage {
    case .idle: return true
    case .scatter:
      guard try group.test() else { return false }
      sum()
      try gather()
      return false
    case .gather:
      guard try group.test() else { return false }
      if type == .bfloat16 { decode() }
      stage = .idle
      return true
    }
  }

  /// Returns when `advance()` can go on.
  package func wait() throws(MPIError) { try group.wait() }

  /// Forgets what is under way, on the way to the job's end.
  func abandon() {
    group.abandon()
    stage = .idle
  }

  private func gather() throws(MPIError) {
    stage = .gather
    let mine = piece(communicator.rank)
    try forEachPeer { (peer) throws(MPIError) in
      let theirs = piece(peer)
      switch type {
      case .float32:
        if !theirs.isEmpty { try group.receive(.init(rebasing: range[theirs]), from: peer, tag: tag + 1) }
        if !mine.isEmpty { try group.send(.init(rebasing: range[mine]), to: peer, tag: tag + 1) }
      case .bfloat16:
        if !theirs.isEmpty { try group.receive(.init(rebasing: halves[theirs]), from: peer, tag: tag + 1) }
        if !mine.isEmpty { try group.send(.init(rebasing: halves[mine]), to: peer, tag: tag + 1) }
      }
    }
  }

  /// Each rank begins with its neighbour, so that no rank is everybody's first.
  private func forEachPeer(_ body: (Int) throws(MPIError) -> Void) throws(MPIError) {
    for distance in 1..<max(communicator.size, 1) {
      try body((communicator.rank + distance) % communicator.size)
    }
  }

  /// Adds the ranks' contributions to this rank's piece, block by block in the cache.
  private func sum() {
    let mine = piece(communicator.rank)
    guard !mine.isEmpty else { return }
    let size = communicator.size
    let target = range.baseAddress! + mine.lowerBound
    let count = (mine.count + Self.block - 1) / Self.block
    rows.withUnsafeMutableBufferPointer { rows in
      nonisolated(unsafe) let rows = rows.baseAddress!
      Parallel.run { part, parts in
        let rows = rows + part * size
        for block in Share.range(of: count, part, parts) {
          let start = block * Self.block
          sum(target, start, min(Self.block, mine.count - start), rows, part)
        }
      }
    }
  }

  private func sum(
    _ target: UnsafeMutablePointer<Float>, _ start: Int, _ count: Int,
    _ rows: UnsafeMutablePointer<UnsafeMutablePointer<Float>>,
    _ part: Int
  ) {
    let (size, rank) = (communicator.size, communicator.rank)
    switch type {
    case .float32:
      for peer in 0..<size { rows[peer] = (peer == rank ? target : row(peer)) + start }
      PairwiseSum.add(rows, rowCount: size, count: count)
      if rank != 0 { (target + start).update(from: rows[0], count: count) }
    case .bfloat16:
      let own = halves.baseAddress! + piece(rank).lowerBound
      for peer in 0..<size {
        rows[peer] = blocks.elements.baseAddress! + (part * size + peer) * Self.block
        BFloat16.decode((peer == rank ? own : halfRow(peer)) + start, into: rows[peer], count: count)
      }
      PairwiseSum.add(rows, rowCount: size, count: count)
      BFloat16.encode(rows[0], into: own + start, count: count)
      BFloat16.decode(own + start, into: target + start, count: count)
    }
  }

  private func encode() {
    guard let source = range.baseAddress, let target = halves.baseAddress else { return }
    forEachBlock { BFloat16.encode(source + $0.lowerBound, into: target + $0.lowerBound, count: $0.count) }
  }

  /// Decodes this rank's own piece too, to the bits that it has already.
  private func decode() {
    guard let target = range.baseAddress, let source = halves.baseAddress else { return }
    forEachBlock { BFloat16.decode(source + $0.lowerBound, into: target + $0.lowerBound, count: $0.count) }
  }

  private func forEachBlock(_ body: (Range<Int>) -> Void) {
    let count = range.count
    Parallel.ranges((count + Self.line - 1) / Self.line) { lines in
      body((lines.lowerBound * Self.line)..<min(lines.upperBound * Self.line, count))
    }
  }

  /// The piece of the range that `rank` sums; empty where there are fewer cache lines than ranks.
  private func piece(_ rank: Int) -> Range<Int> { Self.piece(rank, of: range.count, ranks: communicator.size) }

  static func piece(_ rank: Int, of count: Int, ranks: Int) -> Range<Int> {
    let lines = Share.range(of: (count + line - 1) / line, rank, ranks)
    return min(lines.lowerBound * line, count)..<min(lines.upperBound * line, count)
  }

  /// Floats from row to row of `incoming`.
  private var pieceCapacity: Int {
    ((range.count + Self.line - 1) / Self.line + communicator.size - 1) / communicator.size * Self.line
  }

  private func row(_ peer: Int) -> UnsafeMutablePointer<Float> {
    incoming.elements.baseAddress! + peer * pieceCapacity
  }

  private func halfRow(_ peer: Int) -> UnsafeMutablePointer<UInt16> {
    incomingHalves.elements.baseAddress! + peer * pieceCapacity
  }

  private var halves: UnsafeMutableBufferPointer<UInt16> { .init(rebasing: outgoing.elements[0..<range.count]) }

  private func reserve() {
    let (size, threads) = (communicator.size, Parallel.threads)
    while rows.count < size * threads { rows.append(incoming.elements.baseAddress!) }
    let staged = size * pieceCapacity
    switch type {
    case .float32: if incoming.elements.count < staged { incoming = AlignedMemory(count: staged) }
    case .bfloat16:
      if incomingHalves.elements.count < staged { incomingHalves = HalfMemory(count: staged) }
      if outgoing.elements.count < range.count { outgoing = HalfMemory(count: range.count) }
      let floats = threads * size * Self.block
      if blocks.elements.count < floats { blocks = AlignedMemory(count: floats) }
    }
  }
}

/// Zeroed memory of bfloat16, aligned for SIMD.
private final class HalfMemory {
  let elements: UnsafeMutableBufferPointer<UInt16>

  init(count: Int) {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1) * 2, alignment: 64)
    elements = .init(rebasing: bytes.bindMemory(to: UInt16.self)[0..<count])
    elements.initialize(repeating: 0)
  }

  var bytes: Int { 2 * elements.count }

  deinit { UnsafeMutableRawPointer(elements.baseAddress!).deallocate() }
}
