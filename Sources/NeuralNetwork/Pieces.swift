import VectorKernels

/// A batch divided among the threads, and each thread's share into pieces that go through a chain of layers together.
package struct Pieces {
  /// For each thread its pieces, in ascending order; a single whole piece where the layers divide their work themselves.
  package let ofThread: [[Range<Int>]]
  package let batch: Int

  package var isWhole: Bool { ofThread.isEmpty }

  /// All images at once; the layers share their work among the threads.
  init(wholeBatch batch: Int) {
    self.batch = batch
    ofThread = []
  }

  /// - Parameters:
  ///   - bytesPerImage: what the chain reads and writes for one image.
  ///   - least: images of a piece, also where they exceed its bytes.
  init(batch: Int, threads: Int, bytesPerImage: Int, least: Int = 1) {
    self.batch = batch
    let largestShare = (batch + threads - 1) / threads
    // A thread that waits for another's last image costs more than the cache gains.
    guard Double(largestShare * threads) <= 1.15 * Double(batch) else {
      ofThread = []
      return
    }
    let size = min(max(least, Self.bytes / bytesPerImage), largestShare)
    ofThread = (0..<threads).map { thread in
      let share = Share.range(of: batch, thread, threads)
      return stride(from: share.lowerBound, to: share.upperBound, by: size).map { start in
        start..<min(start + size, share.upperBound)
      }
    }
  }

  /// What a piece may take of a core's second-level cache. Measured: see `PieceSchedule`.
  static let bytes = 512 << 10

  /// Images of the largest piece.
  var largest: Int { isWhole ? batch : ofThread.map { $0.first?.count ?? 0 }.max()! }

  /// The sizes that occur, largest first.
  var sizes: [Int] { isWhole ? [batch] : Set(ofThread.joined().map(\.count)).sorted(by: >) }

  /// Calls `body` for each piece, on the thread that it belongs to.
  func forEach(_ body: (Range<Int>) -> Void) {
    if isWhole { return body(0..<batch) }
    Parallel.run { part, parts in
      precondition(parts == ofThread.count, "A pass made for \(ofThread.count) threads runs on \(parts)")
      for piece in ofThread[part] { body(piece) }
    }
  }

  /// The same; `between` is called outside of any parallel region: after each piece where one thread takes them all,
  /// after all of them where they run side by side.
  func forEach<E: Error>(_ body: (Range<Int>) -> Void, between: () throws(E) -> Void) throws(E) {
    guard ofThread.count == 1, Parallel.threads == 1 else {
      forEach(body)
      return try between()
    }
    for piece in ofThread[0] {
      body(piece)
      try between()
    }
  }
}
