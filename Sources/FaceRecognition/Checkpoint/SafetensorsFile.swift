import Foundation

/// A safetensors file, mapped read-only and checked whole before anything is taken from it.
///
/// Opening reads the header alone; the data comes from the page cache as it is asked for. The file must not shrink while
/// it is open (see `MappedRegions`): writers replace such files by renaming, see `AtomicFile`.
/// Numbers are little-endian and need no alignment here. A state dict of PyTorch, `torch.save`'s ZIP archive, is read in
/// the same way.
package final class SafetensorsFile: @unchecked Sendable {
  package let path: String
  /// In the header's order.
  package let names: [String]
  package let metadata: [String: String]

  private let mapping: UnsafeRawBufferPointer
  private let entries: [String: SafetensorsHeader.Entry]

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
      if TorchArchive.isOne(mapping) {
        (listed, metadata) = (try TorchArchive(mapping, path: path).entries, [:])
      } else {
        let header = try SafetensorsHeader(mapping, path: path)
        (listed, metadata) = (header.entries, header.metadata)
      }
      names = listed.map(\.name)
      entries = Dictionary(uniqueKeysWithValues: listed.map { ($0.name, $0) })
    } catch {
      MappedRegions.unmap(mapping)
      throw error
    }
    self.path = path
    self.mapping = mapping
  }

  deinit { MappedRegions.unmap(mapping) }

  package func contains(_ name: String) -> Bool { entries[name] != nil }

  package func shape(of name: String) throws(SafetensorsError) -> [Int] { try entry(name).shape }

  package func type(of name: String) throws(SafetensorsError) -> TensorType { try entry(name).type }

  /// The digest of the tensor's bytes as stored.
  package func digest(of name: String) throws(SafetensorsError) -> Digest {
    let entry = try entry(name)
    return withExtendedLifetime(self) { Digest(of: bytes(entry)) }
  }

  /// Calls `body` with the tensor's bytes as stored; they are valid during the call alone.
  package func withBytes<R>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
    let entry = try entry(name)
    return try withExtendedLifetime(self) { try body(bytes(entry)) }
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
    defer { withExtendedLifetime(self) {} }
    let source = bytes(entry)
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
    case .bool, .uint8: return integers(entry, UInt8.self)
    case .int8: return integers(entry, Int8.self)
    case .int16: return integers(entry, Int16.self)
    case .uint16: return integers(entry, UInt16.self)
    case .int32: return integers(entry, Int32.self)
    case .uint32: return integers(entry, UInt32.self)
    case .int64: return integers(entry, Int64.self)
    case .uint64:
      // Read as signed, whatever is past Int64 is negative.
      let values = integers(entry, Int64.self)
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
  ) -> [Int64] {
    defer { withExtendedLifetime(self) {} }
    let source = bytes(entry)
    return (0..<source.count / MemoryLayout<T>.size).map {
      Int64(source.loadUnaligned(fromByteOffset: MemoryLayout<T>.size * $0, as: T.self))
    }
  }

  private func bytes(_ entry: SafetensorsHeader.Entry) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: mapping[entry.bytes])
  }

  private func entry(_ name: String) throws(SafetensorsError) -> SafetensorsHeader.Entry {
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
