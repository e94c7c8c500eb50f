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
    let byteCount: Int
    let content: Content

    /// As in the header: `"name":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}`.
    func header(at start: Int) -> String {
      let extents = shape.map(String.init).joined(separator: ",")
      return SafetensorsWriter.quoted(name)
        + #":{"dtype":"\#(type.rawValue)","shape":[\#(extents)],"data_offsets":[\#(start),\#(start + byteCount)]}"#
    }
  }

  private enum Content {
    /// `owner` keeps the bytes alive where the writer owns them.
    case memory(UnsafeRawBufferPointer, owner: AnyObject?)
    case stream(Stream)
  }

  /// Hands the bytes of a tensor on piece by piece, in their order.
  package typealias Stream = (_ write: (UnsafeRawBufferPointer) throws -> Void) throws -> Void

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

  /// Adds a tensor in row-major order that exists nowhere whole; `stream` is called once, by `write(to:)`.
  package mutating func add<T: TensorElement>(_ name: String, _ type: T.Type, shape: [Int], stream: @escaping Stream) {
    let count = shape.reduce(MemoryLayout<T>.size, *)
    append(Entry(name: name, type: T.tensorType, shape: shape, byteCount: count, content: .stream(stream)))
  }

  private mutating func append<T: TensorElement>(
    _ name: String, _ shape: [Int], _ values: UnsafeBufferPointer<T>, owner: AnyObject?
  ) {
    precondition(
      shape.allSatisfy { $0 >= 0 } && shape.reduce(1, *) == values.count,
      "Tensor '\(name)' of shape \(shape) given \(values.count) values")
    let bytes = UnsafeRawBufferPointer(values)
    append(
      Entry(
        name: name, type: T.tensorType, shape: shape, byteCount: bytes.count, content: .memory(bytes, owner: owner)))
  }

  private mutating func append(_ entry: Entry) {
    let inserted = names.insert(entry.name).inserted
    precondition(inserted, "The tensor '\(entry.name)' is already in this file, or reserved")
    entries.append(entry)
  }

  /// What the file will hold, in the order of `add`, with a digest of each tensor's bytes: one pass over the data.
  ///
  /// Of tensors in memory alone.
  package var records: [TensorRecord] {
    entries.map { entry in
      guard case .memory(let bytes, _) = entry.content else {
        preconditionFailure("A digest of '\(entry.name)', which is only streamed")
      }
      return TensorRecord(name: entry.name, type: entry.type.rawValue, shape: entry.shape, digest: Digest(of: bytes))
    }
  }

  /// Writes the file beside `path`, makes it durable and renames it: under `path` is the former file or the whole new one.
  ///
  /// Returns the digest of the file's bytes. Throws `FileError`, or what a stream throws.
  @discardableResult package func write(to path: String) throws -> Digest {
    var digest = DigestStream()
    let (header, order) = layout()
    try Self.check(headerBytes: header.count - 8, of: path, limit: SafetensorsHeader.maximumLength)
    let file = try AtomicFile(path: path)
    try header.withUnsafeBytes { bytes in
      try file.write(bytes)
      digest.update(bytes)
    }
    for index in order {
      switch entries[index].content {
      case .memory(let bytes, _):
        try file.write(bytes)
        digest.update(bytes)
      case .stream(let stream):
        var written = 0
        try stream { bytes in
          try file.write(bytes)
          digest.update(bytes)
          written += bytes.count
        }
        precondition(written == entries[index].byteCount, "\(written) bytes streamed for '\(entries[index].name)'")
      }
    }
    try file.commit()
    return digest.digest
  }

  /// Refuses what `write` would refuse, before there is anything to write.
  ///
  /// - Throws: `SafetensorsError` where names and metadata fill more than a header may have.
  package func check(path: String, limit: Int) throws(SafetensorsError) {
    try Self.check(headerBytes: layout().header.count - 8, of: path, limit: limit)
  }

  private static func check(headerBytes: Int, of path: String, limit: Int) throws(SafetensorsError) {
    guard headerBytes > limit else { return }
    throw SafetensorsError(
      path: path,
      reason: "its names would take \(headerBytes) bytes of the header, and readers accept "
        + "\(limit)")
  }

  /// The header with its length before it, and the order in which the tensors' data follows.
  private func layout() -> (header: [UInt8], order: [Int]) {
    let order = entries.indices.sorted { (-entries[$0].type.width, $0) < (-entries[$1].type.width, $1) }
    var starts = [Int](repeating: 0, count: entries.count)
    var position = 0
    for index in order {
      starts[index] = position
      position += entries[index].byteCount
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
        result += "\\u" + scalar.value.digits(4, radix: 16)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

/// A tensor of a file as the checkpoint's document lists it.
package struct TensorRecord: Codable, Equatable, Sendable {
  package let name: String
  /// As safetensors spells it, "F32".
  package let type: String
  package let shape: [Int]
  /// Of the bytes as stored.
  package let digest: Digest

  package init(name: String, type: String, shape: [Int], digest: Digest) {
    self.name = name
    self.type = type
    self.shape = shape
    self.digest = digest
  }
}
