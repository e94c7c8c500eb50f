/// Writes tensors as PyTorch's `torch.save` writes a state dict: `torch.load` takes the file, with `weights_only=True` too.
///
/// A ZIP archive of a pickle, which names the tensors in the order of `add`, and of one storage for each. The same bytes
/// for the same tensors. Format: PyTorch's `torch/serialization.py`; the pickle's codes: Python's `pickletools.py`.
/// ```swift
/// var writer = TorchWriter()
/// writer.add("features.weight", shape: [512], values)
/// try writer.write(to: "backbone.pt")
/// ```
package struct TorchWriter {
  private enum Content {
    case floats(UnsafeBufferPointer<Float>)
    case integer(Int64)

    var count: Int {
      switch self {
      case .floats(let values): values.count
      case .integer: 1
      }
    }

    var storage: String {
      switch self {
      case .floats: "FloatStorage"
      case .integer: "LongStorage"
      }
    }

    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
      switch self {
      case .floats(let values): try body(UnsafeRawBufferPointer(values))
      case .integer(let value): try withUnsafeBytes(of: value.littleEndian, body)
      }
    }
  }

  private struct Entry {
    let name: String
    let shape: [Int]
    let content: Content
  }

  private var entries: [Entry] = []

  package init() {}

  /// Adds a tensor in row-major order. `values` is not copied: its memory must stay as it is until `write(to:)` returns.
  package mutating func add(_ name: String, shape: [Int], _ values: UnsafeBufferPointer<Float>) {
    precondition(shape.reduce(1, *) == values.count, "Tensor '\(name)' of shape \(shape) given \(values.count) values")
    entries.append(Entry(name: name, shape: shape, content: .floats(values)))
  }

  /// Adds a tensor without dimensions.
  package mutating func add(_ name: String, _ value: Int64) {
    entries.append(Entry(name: name, shape: [], content: .integer(value)))
  }

  /// Bytes of all storages; an archive holds `limit` of them.
  package var byteCount: Int { entries.reduce(0) { $0 + $1.content.withBytes(\.count) } }
  package static let limit = ZipWriter.limit - 64 << 20

  /// Writes the file beside `path`, makes it durable and renames it. At most `limit` bytes of tensors.
  ///
  /// - Throws: `FileError`
  package func write(to path: String) throws {
    precondition(byteCount <= Self.limit, "\(byteCount) bytes of tensors")
    var archive = try ZipWriter(path: path)
    // The folder is named as torch.save names it where it writes to no file of a name.
    try archive.add("archive/data.pkl", pickle())
    try archive.add("archive/byteorder", Array("little".utf8))
    for (key, entry) in entries.enumerated() {
      try entry.content.withBytes { try archive.add("archive/data/\(key)", $0) }
    }
    try archive.add("archive/version", Array("3\n".utf8))
    try archive.commit()
  }

  /// `OrderedDict` of name to `_rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks)`, in protocol 2.
  private func pickle() -> [UInt8] {
    var codes = PickleCodes()
    codes.emptyOrderedDictionary()
    codes.mark()
    for (key, entry) in entries.enumerated() {
      codes.text(entry.name)
      codes.global("torch._utils", "_rebuild_tensor_v2")
      codes.tuple {
        $0.tuple {
          $0.text("storage")
          $0.global("torch", entry.content.storage)
          $0.text("\(key)")
          $0.text("cpu")
          $0.integer(entry.content.count)
        }
        $0.persistentObject()
        $0.integer(0)
        $0.tuple { for extent in entry.shape { $0.integer(extent) } }
        $0.tuple { for step in strides(entry.shape) { $0.integer(step) } }
        $0.false()
        $0.emptyOrderedDictionary()
      }
      codes.call()
    }
    codes.setItems()
    return codes.finish()
  }

  /// In elements, of row-major order.
  private func strides(_ shape: [Int]) -> [Int] {
    shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
  }
}

/// The codes of a pickle, one after another.
private struct PickleCodes {
  /// Protocol 2.
  private var bytes: [UInt8] = [0x80, 2]

  mutating func mark() { bytes.append(UInt8(ascii: "(")) }
  mutating func setItems() { bytes.append(UInt8(ascii: "u")) }
  mutating func call() { bytes.append(UInt8(ascii: "R")) }
  mutating func persistentObject() { bytes.append(UInt8(ascii: "Q")) }
  mutating func `false`() { bytes.append(0x89) }

  mutating func global(_ module: String, _ name: String) { bytes += Array("c\(module)\n\(name)\n".utf8) }

  mutating func text(_ text: String) {
    bytes.append(UInt8(ascii: "X"))
    number(Int32(text.utf8.count))
    bytes += Array(text.utf8)
  }

  mutating func integer(_ value: Int) {
    bytes.append(UInt8(ascii: "J"))
    number(Int32(value))
  }

  mutating func tuple(_ items: (inout PickleCodes) -> Void) {
    mark()
    items(&self)
    bytes.append(UInt8(ascii: "t"))
  }

  mutating func emptyOrderedDictionary() {
    global("collections", "OrderedDict")
    bytes.append(UInt8(ascii: ")"))
    call()
  }

  func finish() -> [UInt8] { bytes + [UInt8(ascii: ".")] }

  private mutating func number(_ value: Int32) {
    withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
  }
}
