#if canImport(Glibc)
  import Glibc
#endif

/// Zeroed memory of Floats, aligned for SIMD and, where it is large, backed by huge pages.
///
/// Made once, at the start; a training step allocates nothing.
package final class AlignedMemory {
  package let elements: UnsafeMutableBufferPointer<Float>

  /// Bytes of a transparent huge page on x86-64.
  private static let hugePage = 2 << 20

  package init(count: Int) {
    precondition(count >= 0, "Memory of \(count) Floats")
    let bytes = max(count, 1) * MemoryLayout<Float>.stride
    let alignment = bytes >= Self.hugePage ? Self.hugePage : 64
    var raw: UnsafeMutableRawPointer?
    guard posix_memalign(&raw, alignment, bytes) == 0, let raw else {
      fatalError("Out of memory: \(bytes) bytes were asked for.")
    }
    if bytes >= Self.hugePage { madvise(raw, bytes, MADV_HUGEPAGE) }
    memset(raw, 0, bytes)
    elements = UnsafeMutableBufferPointer(start: raw.bindMemory(to: Float.self, capacity: max(count, 1)), count: count)
  }

  /// As many Floats as hold so many bytes.
  package convenience init(bytes: Int) {
    let size = MemoryLayout<Float>.stride
    self.init(count: (bytes + size - 1) / size)
  }

  package var bytes: Int { elements.count * MemoryLayout<Float>.stride }

  deinit { free(elements.baseAddress) }
}
