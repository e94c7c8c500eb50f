import Foundation

/// Writes tensors into one safetensors file, the same bytes for the same tensors.
///
/// The header names the metadata (sorted by key) and then the tensors in the order of `add`. The data lies there widest
/// type first, in the same order within a type: so, with the header padded to 8 bytes, every tensor is aligned for its
/// type, which PyTorch's reader needs. Little-endian machines only, as Swift's are.
/// ```swift
/// var writer = SafetensorsWriter(metadata: ["format": "pt"])
/// writer.add("features.weight", shape: [512], values)
/// try writer.write(to: "run/model.safetensors")
/// ```
package struct SafetensorsWriter {
  private struct Entry {
    let name: String
    let type: TensorType
    let shape: [Int]
    let bytes: UnsafeRawBufferPointer
    /// Keeps `bytes` alive where the writer owns them.
    let owner: AnyObject?

    /// As in the header: `"name":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}`.
    func header(at start: Int) -> String {
      let extents = shape.map(String.init).joined(separator: ",")
      return SafetensorsWriter.quoted(name)
        + #":{"dtype":"\#(type.rawValue)","shape":[\#(extents)],"data_offsets":[\#(start),\#(start + bytes.count)]}"#
    }
  }

  private final class Storage<Element> {
    let values: UnsafeMutableBufferPointer<Element>
    init(copying source: [Element]) {
      values = .allocate(capacity: source.count)
      _ = values.initialize(from: source)
    }
    deinit { values.deallocate() }
  }

  private let metadata: [String: String]
  private var entries: [Entry] = []
  private var names: Set<String> = ["__metadata__"]

  package init(metadata: [String: String] = [:]) {
    self.metadata = metadata
  }

  /// Adds a tensor in row-major order. `values` is not copied: its memory must stay as it is until `write(to:)` returns.
  package mutating func add<T: TensorElement>(_ name: String, shape: [Int], _ values: UnsafeBufferPointer<T>) {
    append(name, shape, values, owner: nil)
  }

  /// Adds a tensor in row-major order, copied.
  package mutating func add<T: TensorElement>(_ name: String, shape: [Int], _ values: [T]) {
    let storage = Storage(copying: values)
    append(name, shape, UnsafeBufferPointer(storage.values), owner: storage)
  }

  private mutating func append<T: TensorElement>(
    _ name: String, _ shape: [Int], _ values: UnsafeBufferPointer<T>, owner: AnyObject?
  ) {
    precondition(names.insert(name).inserted, "The tensor '\(name)' is already in this file, or reserved")
    precondition(
      shape.allSatisfy { $0 >= 0 } && shape.reduce(1, *) == values.count,
      "Tensor '\(name)' of shape \(shape) given \(values.count) values")
    entries.append(
      Entry(name: name, type: T.tensorType, shape: shape, bytes: UnsafeRawBufferPointer(values), owner: owner))
  }

  /// What the file will hold, in the order of `add`, with a digest of each tensor's bytes: one pass over the data.
  package var records: [TensorRecord] {
    entries.map { TensorRecord(name: $0.name, type: $0.type.rawValue, shape: $0.shape, digest: Digest(of: $0.bytes)) }
  }

  /// Writes the file beside `path`, makes it durable and renames it: under `path` is the former file or the whole new one.
  ///
  /// Returns the digest of the file's bytes.
  @discardableResult package func write(to path: String) throws(FileError) -> Digest {
    var digest = DigestStream()
    let (header, order) = layout()
    precondition(
      header.count - 8 <= SafetensorsHeader.maximumLength, "A header of \(header.count) bytes that no reader accepts")
    let file = try AtomicFile(path: path)
    try header.withUnsafeBufferPointer { (bytes) throws(FileError) in try file.write(UnsafeRawBufferPointer(bytes)) }
    header.withUnsafeBytes { digest.update($0) }
    for index in order {
      try file.write(entries[index].bytes)
      digest.update(entries[index].bytes)
    }
    try file.commit()
    return digest.digest
  }

  /// The header with its length before it, and the order in which the tensors' data follows.
  private func layout() -> (header: [UInt8], order: [Int]) {
    let order = entries.indices.sorted { (-entries[$0].type.width, $0) < (-entries[$1].type.width, $1) }
    var starts = [Int](repeating: 0, count: entries.count)
    var position = 0
    for index in order {
      starts[index] = position
      position += entries[index].bytes.count
    }
    var members = zip(entries, starts).map { $0.header(at: $1) }
    if !metadata.isEmpty {
      // By UTF-8 bytes: the order of Strings depends on Unicode's tables.
      let pairs = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        .map { Self.quoted($0.key) + ":" + Self.quoted($0.value) }
      members.insert(#""__metadata__":{"# + pairs.joined(separator: ",") + "}", at: 0)
    }
    var json = Array(("{" + members.joined(separator: ",") + "}").utf8)
    json += [UInt8](repeating: UInt8(ascii: " "), count: (8 - json.count % 8) % 8)
    return (withUnsafeBytes(of: UInt64(json.count).littleEndian, Array.init) + json, order)
  }

  /// A JSON string; what need not be escaped is not.
  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\u{0}"..<"\u{20}":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
