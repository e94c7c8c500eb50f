/// Scratch memory that grows to what is asked for and is used again.
///
/// Its contents are those of the last user; nothing is zeroed.
package final class ByteBuffer {
  private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  /// Above this a buffer is given back when far less is asked for: one huge photograph must not stay resident on
  /// every worker for the rest of the run.
  private static let keptBytes = 32 << 20

  package init() {}

  /// The first `count` bytes, aligned to 64; valid until the next call.
  package func reserve(_ count: Int) -> UnsafeMutableRawBufferPointer {
    precondition(count >= 0, "A buffer of \(count) bytes")
    let isWasteful = memory.count > Self.keptBytes && count < memory.count / 4
    if memory.count < count || isWasteful {
      memory.deallocate()
      memory = .allocate(byteCount: max(count, 4096), alignment: 64)
    }
    return .init(rebasing: memory[..<count])
  }

  /// The first `count` elements of a type whose alignment is at most 64; valid until the next call.
  package func reserve<Element: BitwiseCopyable>(
    _ count: Int, of type: Element.Type
  ) -> UnsafeMutablePointer<Element> {
    let bytes = reserve(count * MemoryLayout<Element>.stride)
    return bytes.baseAddress!.bindMemory(to: type, capacity: count)
  }

  deinit { memory.deallocate() }
}
