import NeuralNetwork
import VectorKernels

#if canImport(Glibc)
  import Glibc
#endif

/// A copy of tensors, in memory that is made once and used again.
///
/// `capture()` is one read and one write at memory speed. What reads the copy (the thread that writes it) must have ended
/// before the next capture.
final class TensorCopy: @unchecked Sendable {
  struct Source {
    let name: String
    let shape: [Int]
    /// Must stay where it is.
    let values: UnsafeMutableBufferPointer<Float>
  }

  let sources: [Source]
  /// Where in the memory each lies, in Floats.
  private let ranges: [Range<Int>]
  private let memory: AlignedMemory

  /// Floats of a cache line: no line is written by two threads.
  private static let line = 16

  init(_ sources: [Source]) {
    self.sources = sources
    var ranges: [Range<Int>] = []
    var end = 0
    for source in sources {
      ranges.append(end..<(end + source.values.count))
      end = (end + source.values.count + Self.line - 1) / Self.line * Self.line
    }
    self.ranges = ranges
    memory = AlignedMemory(count: end)
  }

  var bytes: Int { memory.bytes }

  /// Copies all values as they are now, by all threads of the pool.
  func capture() {
    guard let target = memory.elements.baseAddress else { return }
    Parallel.ranges(memory.elements.count / Self.line) { lines in
      let mine = (lines.lowerBound * Self.line)..<(lines.upperBound * Self.line)
      for (source, range) in zip(sources, ranges) {
        let part = range.clamped(to: mine)
        if part.isEmpty { continue }
        memcpy(
          target + part.lowerBound, source.values.baseAddress! + (part.lowerBound - range.lowerBound),
          part.count * MemoryLayout<Float>.size)
      }
    }
  }

  /// The copy of the `index`-th source.
  func values(_ index: Int) -> UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(rebasing: memory.elements[ranges[index]])
  }
}
