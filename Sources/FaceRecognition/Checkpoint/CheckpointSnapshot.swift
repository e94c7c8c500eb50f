package import NeuralNetwork

#if canImport(Glibc)
  import Glibc
#endif

/// A copy of everything that a checkpoint's tensor files hold, in memory that is made once and used again.
///
/// Training stops only for `capture()`: one read and one write of values, statistics and momenta at memory speed. What
/// reads the copy (the thread that writes it) must have ended before the next capture.
package final class CheckpointSnapshot: @unchecked Sendable {
  /// "momentum.layer1.0.conv1.weight"
  package static let momentumPrefix = "momentum."

  private struct Piece {
    let name: String
    let shape: [Int]
    let source: UnsafeBufferPointer<Float>
    /// Where in the memory, in Floats.
    let range: Range<Int>
  }

  private let entries: [ModelFile.Entry]
  /// Values of the parameters in `entries`, and then all momenta.
  private let pieces: [Piece]
  private let valueCount: Int
  private let memory: AlignedMemory
  private let network: Network

  /// All that `network` and its head hold now and later: their memory must stay where it is.
  package init(_ network: Network, classWeight: Parameter) {
    self.network = network
    entries = ModelFile.entries(of: network, classWeight: classWeight)
    let parameters = entries.compactMap(\.parameter)
    var pieces: [Piece] = []
    var end = 0
    func add(_ name: String, _ shape: [Int], _ source: UnsafeMutableBufferPointer<Float>) {
      pieces.append(Piece(name: name, shape: shape, source: .init(source), range: end..<(end + source.count)))
      end = (end + source.count + Self.line - 1) / Self.line * Self.line
    }
    for parameter in parameters { add(parameter.name, parameter.shape, parameter.value) }
    valueCount = pieces.count
    for parameter in parameters where parameter.isTrained {
      add(Self.momentumPrefix + parameter.name, parameter.shape, parameter.momentum)
    }
    self.pieces = pieces
    memory = AlignedMemory(count: end)
  }

  /// Floats of a cache line: no line is written by two threads.
  private static let line = 16

  package var bytes: Int { memory.bytes }

  /// Copies all values as they are now, by all threads of the pool. The class weight must have been materialized.
  package func capture() {
    let target = memory.elements.baseAddress!
    Parallel.ranges(memory.elements.count / Self.line) { lines in
      let mine = (lines.lowerBound * Self.line)..<(lines.upperBound * Self.line)
      for piece in pieces {
        let part = piece.range.clamped(to: mine)
        if part.isEmpty { continue }
        let source = piece.source.baseAddress! + (part.lowerBound - piece.range.lowerBound)
        memcpy(target + part.lowerBound, source, part.count * MemoryLayout<Float>.size)
      }
    }
  }

  /// The model file of the copy; the same bytes as `ModelFile.write` of the network at the capture.
  func modelWriter(_ description: ModelDescription) throws -> SafetensorsWriter {
    // Entries without a parameter have no piece; the others are in the same order.
    let values = Dictionary(uniqueKeysWithValues: pieces[..<valueCount].map { ($0.name, copy($0)) })
    return try ModelFile.writer(entries, description) { values[$0.name]! }
  }

  func optimizerWriter() -> SafetensorsWriter {
    var writer = SafetensorsWriter(metadata: ["format": "pt"])
    for piece in pieces[valueCount...] { writer.add(piece.name, shape: piece.shape, copy(piece)) }
    return writer
  }

  private func copy(_ piece: Piece) -> UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(rebasing: memory.elements[piece.range])
  }
}
