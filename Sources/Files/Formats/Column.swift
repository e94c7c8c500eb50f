/// Numbers of one kind, one per record: in memory of its own, or in a mapped file that it keeps open.
package struct Column<Element: BitwiseCopyable>: @unchecked Sendable {
  package let count: Int
  private let start: UnsafeRawPointer
  private let owner: AnyObject

  package init(_ values: [Element]) {
    let storage = Storage(values)
    (count, start, owner) = (values.count, UnsafeRawPointer(storage.values.baseAddress!), storage)
  }

  /// A tensor of `file`. Its type is the caller's to check.
  package init(_ name: String, of file: SafetensorsFile) throws {
    // The bytes stay where they are as long as the file is open, and `owner` keeps it so.
    let bytes = try file.withBytes(of: name) { $0 }
    count = bytes.count / MemoryLayout<Element>.size
    start = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 16)!
    owner = file
  }

  package subscript(index: Int) -> Element {
    precondition(index >= 0 && index < count, "Element \(index) of \(count)")
    return start.loadUnaligned(fromByteOffset: index * MemoryLayout<Element>.size, as: Element.self)
  }

  /// All of it as stored.
  package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(owner) {
      try body(UnsafeRawBufferPointer(start: start, count: count * MemoryLayout<Element>.size))
    }
  }

  private final class Storage {
    let values: UnsafeMutableBufferPointer<Element>
    init(_ source: [Element]) {
      values = .allocate(capacity: max(source.count, 1))
      _ = values.initialize(from: source)
    }
    deinit { values.deallocate() }
  }
}
