import Foundation

/// Puts together what `torch.save` writes: pickles of protocol 2, and a ZIP archive or the format before 1.6 around them.
struct TorchFixture {
  enum Item: Sendable {
    case floats([Int], [Float])
    case dictionary([(String, Item)])
    /// Of some class, with these attributes.
    case object([(String, Item)])
    /// Operations that push one value.
    case raw([UInt8])
  }

  private(set) var pickle: [UInt8] = []
  private var storages: [[Float]] = []
  private let isOld: Bool

  init(_ item: Item, isOld: Bool = false) {
    self.isOld = isOld
    pickle = [0x80, 2]
    add(item)
    pickle.append(UInt8(ascii: "."))
  }

  private mutating func add(_ item: Item) {
    switch item {
    case .raw(let bytes): pickle += bytes
    case .object(let attributes):
      pickle += Array("csomewhere\nNet\n)".utf8) + [0x81]
      add(.dictionary(attributes))
      pickle += Array("b".utf8)
    case .dictionary(let members):
      pickle += Array("ccollections\nOrderedDict\n)R(".utf8)
      for (name, item) in members {
        pickle += Self.text(name)
        add(item)
      }
      pickle += Array("u".utf8)
    case .floats(let shape, let values):
      pickle += Array("ctorch._utils\n_rebuild_tensor_v2\n((".utf8) + Self.text("storage")
      pickle += Array("ctorch\nFloatStorage\n".utf8) + Self.text("\(storages.count)") + Self.text("cpu")
      pickle += Self.number(values.count) + (isOld ? Array("NtQ".utf8) : Array("tQ".utf8)) + Self.number(0)
      let strides = shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
      for extents in [shape, strides] {
        pickle += Array("(".utf8)
        for extent in extents { pickle += Self.number(extent) }
        pickle += Array("t".utf8)
      }
      pickle += [0x89] + Array("ccollections\nOrderedDict\n)RtR".utf8)
      storages.append(values)
    }
  }

  static func text(_ text: String) -> [UInt8] { Array("X".utf8) + little(UInt32(text.utf8.count)) + Array(text.utf8) }

  static func number(_ number: Int) -> [UInt8] { Array("J".utf8) + little(Int32(number)) }

  private static func little(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian, Array.init)
  }

  private var storageBytes: [[UInt8]] { storages.map { $0.withUnsafeBytes(Array.init) } }

  /// - Parameter checksums: false leaves them out.
  func archive(checksums: Bool = true) -> Data {
    var members = [("archive/data.pkl", pickle)]
    for (key, bytes) in storageBytes.enumerated() { members.append(("archive/data/\(key)", bytes)) }
    return Self.zip(members, checksums: checksums)
  }

  /// PyTorch's format before 1.6.
  var old: Data {
    let magic: [UInt8] = [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E]
    var bytes = magic + [0x80, 2] + Self.number(1001) + Array(".".utf8)
    for part in [[0x80, 2] + Array("}".utf8), Self.text("little_endian"), [0x88] + Array("s.".utf8), pickle] {
      bytes += part
    }
    bytes += [0x80, 2] + Array("](".utf8)
    for index in storages.indices { bytes += Self.text("\(index)") }
    bytes += Array("e.".utf8)
    for (values, storage) in Swift.zip(storages, storageBytes) { bytes += Self.little(Int64(values.count)) + storage }
    return Data(bytes)
  }

  /// An archive without compression.
  static func zip(_ members: [(String, [UInt8])], checksums: Bool = true) -> Data {
    var (file, directory): ([UInt8], [UInt8]) = ([], [])
    for (name, bytes) in members {
      let sizes: [UInt8] =
        little(checksums ? checksum(bytes) : 0) + little(UInt32(bytes.count)) + little(UInt32(bytes.count))
      var head = [UInt8](repeating: 0, count: 8) + sizes
      head += little(UInt16(name.utf8.count)) + [0, 0]
      directory += [0x50, 0x4B, 1, 2, 0, 0, 0, 0] + head
      directory += [UInt8](repeating: 0, count: 10) + little(UInt32(file.count)) + Array(name.utf8)
      file += [0x50, 0x4B, 3, 4, 0, 0] + head
      file += Array(name.utf8) + bytes
    }
    let count = little(UInt16(members.count))
    var end: [UInt8] = [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + count + count
    end += little(UInt32(directory.count)) + little(UInt32(file.count)) + [0, 0]
    return Data(file + directory + end)
  }

  /// The archive with the checksums that its bytes have now: what somebody leaves who means to change it.
  static func withChecksums(_ archive: Data) -> Data {
    var bytes = [UInt8](archive)
    func number(_ place: Int, _ size: Int) -> Int {
      bytes[place..<(place + size)].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    var place = 0
    while place + 46 < bytes.count {
      defer { place += 1 }
      guard bytes[place..<(place + 4)].elementsEqual([0x50, 0x4B, 1, 2]) else { continue }
      let (size, offset) = (number(place + 24, 4), number(place + 42, 4))
      let start = offset + 30 + number(offset + 26, 2) + number(offset + 28, 2)
      let sum = little(checksum(Array(bytes[start..<(start + size)])))
      bytes.replaceSubrange((place + 16)..<(place + 20), with: sum)
    }
    return Data(bytes)
  }

  /// CRC-32, bit by bit.
  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = ~0
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return ~crc
  }
}
