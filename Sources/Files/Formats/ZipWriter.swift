/// A ZIP archive of members without compression, each from a multiple of 64 bytes on, as PyTorch maps them.
///
/// Format: PKWARE's APPNOTE.TXT, without ZIP64: `limit` bytes in all.
struct ZipWriter: ~Copyable {
  /// Offsets and sizes are 32 bits wide.
  static let limit = Int(UInt32.max)

  private let file: AtomicFile
  private var position = 0
  private var directory: [UInt8] = []
  private var count = 0

  init(path: String) throws(FileError) { file = try AtomicFile(path: path) }

  /// - Parameter name: ASCII.
  mutating func add(_ name: String, _ bytes: UnsafeRawBufferPointer) throws(FileError) {
    precondition(position + bytes.count <= Self.limit - 1 << 20, "An archive of more than \(Self.limit) bytes")
    let start = position
    // An extra field of PyTorch's own kind, "FB", fills up to the next multiple of 64.
    let unpadded = position + 30 + name.utf8.count + 4
    let padding = (64 - unpadded % 64) % 64
    var common: [UInt8] = []
    // No flags, no compression, no date.
    for field in [10, 0, 0, 0, 0x21] { common += Self.bytes(field, 2) }
    common += Self.bytes(Int(CRC32.checksum(bytes)), 4) + Self.bytes(bytes.count, 4) + Self.bytes(bytes.count, 4)
    common += Self.bytes(name.utf8.count, 2)
    let extra = [0x46, 0x42] + Self.bytes(padding, 2) + [UInt8](repeating: 0x5A, count: padding)
    try append(Self.bytes(0x0403_4B50, 4) + common + Self.bytes(extra.count, 2) + Array(name.utf8) + extra)
    try file.write(bytes)
    position += bytes.count
    // The version that made it stands before the one that reads it; then no extra field, no comment, disk 0, no attributes.
    directory += Self.bytes(0x0201_4B50, 4) + Self.bytes(10, 2) + common
    directory += [UInt8](repeating: 0, count: 12) + Self.bytes(start, 4) + Array(name.utf8)
    count += 1
  }

  mutating func add(_ name: String, _ bytes: [UInt8]) throws(FileError) {
    try bytes.withUnsafeBufferPointer { (bytes) throws(FileError) in try add(name, UnsafeRawBufferPointer(bytes)) }
  }

  /// Writes the directory, makes the file durable and gives it its name.
  consuming func commit() throws(FileError) {
    let (start, size) = (position, directory.count)
    try append(directory)
    let counts = Self.bytes(0, 4) + Self.bytes(count, 2) + Self.bytes(count, 2)
    try append(Self.bytes(0x0605_4B50, 4) + counts + Self.bytes(size, 4) + Self.bytes(start, 4) + [0, 0])
    try file.commit()
  }

  private mutating func append(_ bytes: [UInt8]) throws(FileError) {
    try bytes.withUnsafeBufferPointer { (bytes) throws(FileError) in try file.write(UnsafeRawBufferPointer(bytes)) }
    position += bytes.count
  }

  /// Little-endian.
  private static func bytes(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
