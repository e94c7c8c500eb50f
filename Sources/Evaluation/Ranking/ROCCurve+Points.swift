import Files
import MPI

extension ROCCurve {
  /// Points that travel in one message: 1.5 MB.
  private static let piece = 1 << 16

  /// Calls rank 0's `body` with every point of the curve, from the highest threshold to the lowest; those of the other ranks
  /// are not called.
  package func forEachPoint(_ body: (Point) throws -> Void) throws {
    guard let group = scores.group, group.size > 1 else { return try forEachOwnPoint(body) }
    var count = 0
    scores.forEachCut { _ in count += 1 }
    let counts = try group.allGather(count)
    guard group.rank == 0 else { return try sendPoints(group) }
    try forEachOwnPoint(body)
    var numbers = [Double](repeating: 0, count: 3 * Self.piece)
    for rank in 1..<group.size {
      for chunk in Chunks(of: counts[rank], limit: Self.piece) {
        try numbers.withUnsafeMutableBufferPointer {
          try group.receive($0.extracting(..<(3 * chunk.count)), from: rank)
        }
        for start in stride(from: 0, to: 3 * chunk.count, by: 3) {
          try body(
            Point(
              threshold: numbers[start], falseAcceptRate: numbers[start + 1], trueAcceptRate: numbers[start + 2]))
        }
      }
    }
  }

  private func forEachOwnPoint(_ body: (Point) throws -> Void) rethrows {
    try scores.forEachCut { try body(point($0)) }
  }

  private func sendPoints(_ group: Communicator) throws {
    var numbers: [Double] = []
    numbers.reserveCapacity(3 * Self.piece)
    func send() throws {
      try numbers.withUnsafeBufferPointer { try group.send($0, to: 0) }
      numbers.removeAll(keepingCapacity: true)
    }
    try forEachOwnPoint { point in
      numbers += [point.threshold, point.falseAcceptRate, point.trueAcceptRate]
      if numbers.count == 3 * Self.piece { try send() }
    }
    if !numbers.isEmpty { try send() }
  }

  /// Writes every point, from the highest threshold to the lowest, as CSV: all ranks call it, rank 0 writes.
  ///
  /// - Throws: `FileError`
  package func write(to path: String) throws {
    guard scores.group.ownRank == 0 else { return try forEachPoint { _ in } }
    let file = try AtomicFile(path: path)
    var text = "threshold,falseAcceptRate,trueAcceptRate\n"
    try forEachPoint { point in
      text += "\(point.threshold),\(point.falseAcceptRate),\(point.trueAcceptRate)\n"
      if text.utf8.count >= 1 << 20 { try Self.move(&text, to: file) }
    }
    try Self.move(&text, to: file)
    try file.commit()
  }

  private static func move(_ text: inout String, to file: borrowing AtomicFile) throws {
    try text.withUTF8 { try file.write(UnsafeRawBufferPointer($0)) }
    text = ""
  }
}
