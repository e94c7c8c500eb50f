import Foundation
import Testing

/// Reads event files by the formats' own descriptions: nothing here is shared with what writes them.
struct EventReader {
  /// A field of a protobuf message: its number, and a number or bytes.
  enum Value {
    case number(UInt64)
    case bytes([UInt8])
  }

  struct Event {
    var time = 0.0
    var step = 0
    var version: String?
    var startsSession = false
    /// Fields of each Summary.Value by its tag.
    var values: [String: [Int: Value]] = [:]

    /// What was written as a float.
    func scalar(_ tag: String) -> Float? {
      if case .number(let bits)? = values[tag]?[2] { Float(bitPattern: UInt32(bits)) } else { nil }
    }

    func message(_ tag: String, field: Int) throws -> [Int: Value]? {
      if case .bytes(let bytes)? = values[tag]?[field] { try EventReader.fields(bytes) } else { nil }
    }
  }

  let events: [Event]

  /// All event files of a folder, in the order of their names.
  init(folder: String) throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    try #require(names.allSatisfy { $0.hasPrefix("events.out.tfevents.") }, "\(names)")
    events = try names.flatMap { name in
      try Self.records([UInt8](Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))).map(Self.event)
    }
  }

  /// Payloads of TFRecords, checksums compared.
  static func records(_ file: [UInt8]) throws -> [[UInt8]] {
    var (records, offset) = ([[UInt8]](), 0)
    func number(_ count: Int) throws -> UInt64 {
      try #require(offset + count <= file.count, "the file ends at \(file.count), inside a record")
      defer { offset += count }
      return file[offset..<(offset + count)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    while offset < file.count {
      let head = Array(file[offset..<min(offset + 8, file.count)])
      let length = Int(try number(8))
      #expect(try number(4) == UInt64(maskedChecksum(head)))
      try #require(length <= file.count - offset)
      let payload = Array(file[offset..<(offset + length)])
      offset += length
      #expect(try number(4) == UInt64(maskedChecksum(payload)))
      records.append(payload)
    }
    return records
  }

  /// Bit by bit, by the polynomial's definition.
  static func maskedChecksum(_ bytes: [UInt8]) -> UInt32 {
    var crc = UInt32.max
    for byte in bytes {
      for bit in 0..<8 {
        let isSet = (crc ^ UInt32(byte) >> UInt32(bit)) & 1 == 1
        crc = crc >> 1 ^ (isSet ? 0x82F6_3B78 : 0)
      }
    }
    let value = ~crc
    return (value >> 15 | value << 17) &+ 0xA282_EAD8
  }

  private static func event(_ payload: [UInt8]) throws -> Event {
    var event = Event()
    for (number, value) in try list(payload) {
      switch (number, value) {
      case (1, .number(let bits)): event.time = Double(bitPattern: bits)
      case (2, .number(let step)): event.step = Int(step)
      case (3, .bytes(let bytes)): event.version = String(decoding: bytes, as: UTF8.self)
      case (5, .bytes(let summary)):
        for case (1, .bytes(let bytes)) in try list(summary) {
          let fields = try fields(bytes)
          guard case .bytes(let tag)? = fields[1] else { continue }
          event.values[String(decoding: tag, as: UTF8.self)] = fields
        }
      case (7, .bytes(let log)):
        if case .number(1)? = try fields(log)[1] { event.startsSession = true }
      default: break
      }
    }
    return event
  }

  static func fields(_ message: [UInt8]) throws -> [Int: Value] {
    Dictionary(try list(message)) { $1 }
  }

  /// Doubles of a packed field.
  static func doubles(_ value: Value?) -> [Double] {
    guard case .bytes(let bytes)? = value else { return [] }
    return stride(from: 0, to: bytes.count, by: 8).map { start in
      Double(bitPattern: bytes[start..<(start + 8)].reversed().reduce(0) { $0 << 8 | UInt64($1) })
    }
  }

  static func double(_ value: Value?) -> Double? {
    if case .number(let bits)? = value { Double(bitPattern: bits) } else { nil }
  }

  /// Protobuf's wire format: varints, 64 bits, lengths, 32 bits.
  private static func list(_ message: [UInt8]) throws -> [(Int, Value)] {
    var (list, offset) = ([(Int, Value)](), 0)
    func varint() throws -> UInt64 {
      var (result, shift): (UInt64, UInt64) = (0, 0)
      while true {
        try #require(offset < message.count)
        let byte = message[offset]
        offset += 1
        result |= UInt64(byte & 0x7F) << shift
        if byte < 0x80 { return result }
        shift += 7
      }
    }
    func fixed(_ count: Int) throws -> UInt64 {
      try #require(offset + count <= message.count)
      defer { offset += count }
      return message[offset..<(offset + count)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    while offset < message.count {
      let key = try varint()
      let number = Int(key >> 3)
      switch key & 7 {
      case 0: list.append((number, .number(try varint())))
      case 1: list.append((number, .number(try fixed(8))))
      case 2:
        let length = Int(try varint())
        try #require(offset + length <= message.count)
        list.append((number, .bytes(Array(message[offset..<(offset + length)]))))
        offset += length
      case 5: list.append((number, .number(try fixed(4))))
      default: try #require(Bool(false), "wire type \(key & 7)")
      }
    }
    return list
  }
}
