import Foundation
import Synchronization

/// A safetensors file, mapped read-only and checked whole before anything is taken from it.
///
/// Opening reads the header alone; the data comes from the page cache as it is asked for. The file must not shrink while
/// it is open (see `MappedRegions`): writers replace such files by renaming, see `AtomicFile`.
/// Numbers are little-endian and need no alignment here. Files of PyTorch (`TorchFile`) are read in the same way; bytes
/// that have a checksum there are compared with it before their first use.
package final class SafetensorsFile: @unchecked Sendable {
  package let path: String
  /// In the header's order.
  package let names: [String]
  package let metadata: [String: String]
  /// What is worth knowing about a file of another program.
  package let notes: [String]
  /// Whether every tensor's bytes are compared with a checksum when they are read.
  package let isChecked: Bool

  /// The file, or memory that holds what was made of one.
  private let mapping: UnsafeRawBufferPointer
  private let isMapped: Bool
  private let entries: [String: SafetensorsHeader.Entry]
  /// Tensors of PyTorch's that cannot be read, and why.
  private let unreadable: [String: String]
  /// Starts of the bytes that were compared with their checksum.
  private let checked = Mutex<Set<Int>>([])

  /// Throws a `FileError` if the file cannot be read and a `SafetensorsError` if it is not a whole safetensors file.
  ///
  /// The corresponding C function is `mmap`.
  package init(path: String) throws {
    // O_NONBLOCK: opening a FIFO must not wait for somebody to write into it.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw FileError("open", path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError("read the size of", path) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw SafetensorsError(path: path, reason: "not a file") }
    guard status.st_size > 0 else {
      throw SafetensorsError(path: path, reason: "empty; a safetensors file has at least 8 bytes")
    }
    guard let mapping = MappedRegions.map(descriptor, size: Int(status.st_size), path: path) else {
      throw FileError("map", path)
    }
    do {
      let listed: [SafetensorsHeader.Entry]
      if let torch = try TorchFile(mapping, path: path) {
        (listed, metadata, notes) = (torch.entries, [:], torch.notes)
        unreadable = Dictionary(torch.unreadable.map { ($0.name, $0.reason) }) { first, _ in first }
      } else {
        if let kind = ForeignFile.kind(of: mapping) { throw SafetensorsError(path: path, reason: kind) }
        let header = try SafetensorsHeader(mapping, path: path)
        (listed, metadata, notes, unreadable) = (header.entries, header.metadata, [], [:])
      }
      names = listed.map(\.name)
      isChecked = !listed.isEmpty && listed.allSatisfy { $0.checked != nil }
      entries = Dictionary(listed.map { ($0.name, $0) }) { first, _ in first }
    } catch {
      MappedRegions.unmap(mapping)
      throw error
    }
    self.path = path
    self.mapping = mapping
    isMapped = true
  }

  /// Tensors in memory, as if they stood in a safetensors file: what a file of another format was translated to.
  ///
  /// - Parameter path: of that file.
  package init(
    path: String, tensors: [(name: String, shape: [Int], values: [Float])], metadata: [String: String], notes: [String]
  ) {
    let width = TensorType.float32.width
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: tensors.reduce(0) { $0 + $1.values.count * width }, alignment: 64)
    var listed: [SafetensorsHeader.Entry] = []
    var end = 0
    for (name, shape, values) in tensors {
      precondition(shape.reduce(1, *) == values.count, "\(values.count) values for \(name) of shape \(shape)")
      let range = end..<(end + values.count * width)
      values.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: memory[range]).copyMemory(from: $0) }
      listed.append(SafetensorsHeader.Entry(name: name, type: .float32, shape: shape, bytes: range))
      end = range.upperBound
    }
    (self.path, self.metadata, self.notes) = (path, metadata, notes)
    (names, unreadable, isChecked) = (listed.map(\.name), [:], false)
    entries = Dictionary(uniqueKeysWithValues: listed.map { ($0.name, $0) })
    mapping = UnsafeRawBufferPointer(memory)
    isMapped = false
  }

  deinit { isMapped ? MappedRegions.unmap(mapping) : mapping.deallocate() }

  /// Also where it has a tensor of this name that cannot be read: asking for that one says why.
  package func contains(_ name: String) -> Bool { entries[name] != nil || unreadable[name] != nil }

  /// With those that cannot be read.
  package var allNames: [String] { names + unreadable.keys.sorted() }

  package func shape(of name: String) throws(SafetensorsError) -> [Int] { try entry(name).shape }

  package func type(of name: String) throws(SafetensorsError) -> TensorType { try entry(name).type }

  /// The digest of the tensor's bytes as stored.
  package func digest(of name: String) throws(SafetensorsError) -> Digest {
    let stored = try stored(entry(name))
    return withExtendedLifetime(stored) { Digest(of: stored.bytes) }
  }

  /// Calls `body` with the tensor's bytes as stored; they are valid during the call alone.
  package func withBytes<R>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
    let stored = try stored(entry(name))
    return try withExtendedLifetime(stored) { try body(stored.bytes) }
  }

  /// Gives the memory of what was read back to the system; it comes again from the page cache where it is asked for. Whoever
  /// goes through a large file calls it from time to time.
  ///
  /// The corresponding C function is `madvise` with `MADV_DONTNEED`.
  package func releasePages() {
    guard isMapped else { return }
    madvise(UnsafeMutableRawPointer(mutating: mapping.baseAddress), mapping.count, MADV_DONTNEED)
  }

  /// The values of an F32, F64, F16 or BF16 tensor in row-major order, rounded to Float.
  package func floats(of name: String) throws(SafetensorsError) -> [Float] {
    let count = try entry(name).shape.reduce(1, *)
    var failure: SafetensorsError?
    let values = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      do throws(SafetensorsError) {
        try copyFloats(of: name, into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
        initialized = count
      } catch { failure = error }
    }
    if let failure { throw failure }
    return values
  }

  /// Copies a tensor that must have `shape`, as `floats(of:)` gives it, into memory of as many Floats.
  package func copyFloats(
    of name: String, shape: [Int], into buffer: UnsafeMutableBufferPointer<Float>
  ) throws(SafetensorsError) {
    precondition(shape.reduce(1, *) == buffer.count, "Shape \(shape) for memory of \(buffer.count) Floats")
    let stored = try entry(name).shape
    guard stored == shape else {
      throw SafetensorsError(path: path, tensor: name, reason: "its shape is \(stored), but \(shape) is needed")
    }
    try copyFloats(of: name, into: buffer)
  }

  private func copyFloats(
    of name: String, into buffer: UnsafeMutableBufferPointer<Float>
  ) throws(SafetensorsError) {
    let entry = try entry(name)
    let stored = try stored(entry)
    defer { withExtendedLifetime(stored) {} }
    let source = stored.bytes
    switch entry.type {
    case .float32:
      UnsafeMutableRawBufferPointer(buffer).copyMemory(from: source)
    case .float64:
      for i in buffer.indices {
        let value = source.loadUnaligned(fromByteOffset: 8 * i, as: Double.self)
        buffer[i] = Float(value)
        guard buffer[i].isFinite || !value.isFinite else {
          throw SafetensorsError(
            path: path, tensor: name, offset: entry.bytes.lowerBound + 8 * i,
            reason: "\(value) is too large for a Float")
        }
      }
    case .float16:
      for i in buffer.indices { buffer[i] = Float(source.loadUnaligned(fromByteOffset: 2 * i, as: Float16.self)) }
    case .bfloat16:
      // A bfloat16 is the upper half of a Float.
      for i in buffer.indices {
        buffer[i] = Float(bitPattern: UInt32(source.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self)) << 16)
      }
    default: throw mismatch(entry, needed: "F32, F64, F16 or BF16")
    }
  }

  /// The values of a tensor of whole numbers or BOOL in row-major order.
  package func integers(of name: String) throws(SafetensorsError) -> [Int64] {
    let entry = try entry(name)
    switch entry.type {
    case .bool, .uint8: return try integers(entry, UInt8.self)
    case .int8: return try integers(entry, Int8.self)
    case .int16: return try integers(entry, Int16.self)
    case .uint16: return try integers(entry, UInt16.self)
    case .int32: return try integers(entry, Int32.self)
    case .uint32: return try integers(entry, UInt32.self)
    case .int64: return try integers(entry, Int64.self)
    case .uint64:
      // Read as signed, whatever is past Int64 is negative.
      let values = try integers(entry, Int64.self)
      guard let i = values.firstIndex(where: { $0 < 0 }) else { return values }
      throw SafetensorsError(
        path: path, tensor: name, offset: entry.bytes.lowerBound + 8 * i,
        reason: "\(UInt64(bitPattern: values[i])) is too large for an Int64")
    case .float8E5M2, .float8E4M3, .float16, .bfloat16, .float32, .float64:
      throw mismatch(entry, needed: "a type of whole numbers")
    }
  }

  private func integers<T: FixedWidthInteger & BitwiseCopyable>(
    _ entry: SafetensorsHeader.Entry, _: T.Type
  ) throws(SafetensorsError) -> [Int64] {
    let stored = try stored(entry)
    defer { withExtendedLifetime(stored) {} }
    let source = stored.bytes
    return (0..<source.count / MemoryLayout<T>.size).map {
      Int64(source.loadUnaligned(fromByteOffset: MemoryLayout<T>.size * $0, as: T.self))
    }
  }

  /// A tensor's bytes in row-major order, and who keeps them.
  private struct Stored {
    let bytes: UnsafeRawBufferPointer
    let owner: AnyObject
  }

  private func stored(_ entry: SafetensorsHeader.Entry) throws(SafetensorsError) -> Stored {
    if let part = entry.checked, !checked.withLock({ $0.contains(part.range.lowerBound) }) {
      guard CRC32.checksum(UnsafeRawBufferPointer(rebasing: mapping[part.range])) == part.checksum else {
        throw SafetensorsError(
          path: path, tensor: entry.name, offset: part.range.lowerBound,
          reason: "the file is damaged: the checksum (CRC-32) of these bytes is another one; copy the file again")
      }
      checked.withLock { _ = $0.insert(part.range.lowerBound) }
    }
    let bytes = UnsafeRawBufferPointer(rebasing: mapping[entry.bytes])
    guard let strides = entry.strides else { return Stored(bytes: bytes, owner: self) }
    let ordered = RowMajor(bytes, entry.shape, strides, width: entry.type.width)
    return Stored(bytes: UnsafeRawBufferPointer(ordered.bytes), owner: ordered)
  }

  private func entry(_ name: String) throws(SafetensorsError) -> SafetensorsHeader.Entry {
    if let reason = unreadable[name] { throw SafetensorsError(path: path, tensor: name, reason: reason) }
    guard let entry = entries[name] else {
      throw SafetensorsError(path: path, tensor: name, reason: "not in this file, which holds \(names.count) tensors")
    }
    return entry
  }

  private func mismatch(_ entry: SafetensorsHeader.Entry, needed: String) -> SafetensorsError {
    SafetensorsError(
      path: path, tensor: entry.name, reason: "its dtype is \(entry.type.rawValue), but \(needed) is needed")
  }
}

/// A copy of a tensor in row-major order.
private final class RowMajor {
  let bytes: UnsafeMutableRawBufferPointer

  /// - Parameters:
  ///   - source: from the first element to the last one.
  ///   - strides: of each dimension, in elements.
  init(_ source: UnsafeRawBufferPointer, _ shape: [Int], _ strides: [Int], width: Int) {
    let count = shape.reduce(1, *)
    bytes = .allocate(byteCount: count * width, alignment: 16)
    var place = [Int](repeating: 0, count: shape.count)
    var from = 0
    for element in 0..<count {
      for byte in 0..<width { bytes[element * width + byte] = source[from * width + byte] }
      var dimension = shape.count - 1
      while dimension >= 0 {
        place[dimension] += 1
        from += strides[dimension]
        if place[dimension] < shape[dimension] { break }
        from -= place[dimension] * strides[dimension]
        place[dimension] = 0
        dimension -= 1
      }
    }
  }

  deinit { bytes.deallocate() }
}
