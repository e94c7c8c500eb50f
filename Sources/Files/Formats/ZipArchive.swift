/// The directory of a ZIP archive that keeps its members without compression, as `torch.save` does.
///
/// Every number is checked against the file's size. Format: PKWARE's APPNOTE.TXT, with ZIP64.
struct ZipArchive {
  struct Member {
    /// Of its bytes in the file.
    let range: Range<Int>
    /// Which the directory says that they have.
    let checksum: UInt32
    let isCompressed: Bool
    let isEncrypted: Bool
  }

  private(set) var members: [Name: Member] = [:]
  /// False where the program that wrote it left all checksums out: `torch.serialization.set_crc32_options(False)`.
  private(set) var hasChecksums = false

  static func isOne(_ file: UnsafeRawBufferPointer) -> Bool { file.starts(with: [0x50, 0x4B, 0x03, 0x04]) }

  private let file: UnsafeRawBufferPointer
  private let path: String

  init(_ file: UnsafeRawBufferPointer, path: String) throws(SafetensorsError) {
    (self.file, self.path) = (file, path)
    let (start, count) = try directory()
    var position = start
    // A file has no place for as many as a damaged number may say: the loop ends at the first that is not there.
    for _ in 0..<count { position = try readMember(at: position) }
  }

  /// The bytes of a member, which must not be compressed; compares their checksum.
  func bytes(of name: String) throws(SafetensorsError) -> UnsafeRawBufferPointer? {
    guard let member = try plainMember(name) else { return nil }
    let bytes = UnsafeRawBufferPointer(rebasing: file[member.range])
    guard !hasChecksums || CRC32.checksum(bytes) == member.checksum else {
      throw failure(
        "its member '\(name)' is damaged: its checksum (CRC-32) is another one", at: member.range.lowerBound)
    }
    return bytes
  }

  /// A member that can be read where it lies; nil where there is none of the name.
  func plainMember(_ name: String) throws(SafetensorsError) -> Member? {
    guard let member = members[Name(name)] else { return nil }
    guard !member.isEncrypted else {
      throw failure("its member '\(name)' is encrypted: unpack it, and pack it without")
    }
    guard !member.isCompressed else {
      throw failure(
        "its member '\(name)' is compressed, which torch.save never does:"
          + " load it in PyTorch and save it again with torch.save, or unpack it and pack it with `zip -0 -r`")
    }
    return member
  }

  /// Reads one entry of the directory; returns where the next one stands.
  private mutating func readMember(at position: Int) throws(SafetensorsError) -> Int {
    guard try number(position, 4) == 0x0201_4B50 else { throw failure("its directory is damaged", at: position) }
    let (flags, method) = (try number(position + 8, 2), try number(position + 10, 2))
    let checksum = UInt32(try number(position + 16, 4))
    let lengths = (try number(position + 28, 2), try number(position + 30, 2), try number(position + 32, 2))
    let nameStart = position + 46
    let extra = try range(nameStart + lengths.0, lengths.1)
    let name = String(decoding: file[try range(nameStart, lengths.0)], as: UTF8.self)
    var (size, offset) = (try number(position + 24, 4), try number(position + 42, 4))
    var packed = try number(position + 20, 4)
    try widen(&size, &packed, &offset, extra)
    guard try number(offset, 4) == 0x0403_4B50 else {
      throw failure("its member '\(name)' is not where the directory says", at: position)
    }
    let start = offset + 30 + (try number(offset + 26, 2)) + (try number(offset + 28, 2))
    let isCompressed = method != 0
    guard isCompressed || packed == size else {
      throw failure("its directory gives two sizes for the member '\(name)'", at: position)
    }
    let member = Member(
      range: try range(start, packed), checksum: checksum, isCompressed: isCompressed, isEncrypted: flags & 1 != 0)
    guard members.updateValue(member, forKey: Name(name)) == nil else {
      throw failure("two members are named '\(name)'", at: position)
    }
    hasChecksums = hasChecksums || checksum != 0
    return nameStart + lengths.0 + lengths.1 + lengths.2
  }

  /// Replaces sizes that do not fit 32 bits by those of the extra field 1 (ZIP64): whole size, packed size, offset.
  private func widen(
    _ size: inout Int, _ packed: inout Int, _ offset: inout Int, _ extra: Range<Int>
  ) throws(SafetensorsError) {
    var position = extra.lowerBound
    while position + 4 <= extra.upperBound {
      let (kind, length) = (try number(position, 2), try number(position + 2, 2))
      position += 4
      if kind == 1 {
        var field = position
        func next() throws(SafetensorsError) -> Int {
          defer { field += 8 }
          return try number(field, 8)
        }
        if size == 0xFFFF_FFFF { size = try next() }
        if packed == 0xFFFF_FFFF { packed = try next() }
        if offset == 0xFFFF_FFFF { offset = try next() }
      }
      position += length
    }
  }

  /// Where the directory starts, and how many members it has.
  private func directory() throws(SafetensorsError) -> (position: Int, count: Int) {
    // The end's record has 22 bytes, and a comment of up to 65,535 behind it.
    var end = file.count - 22
    while end >= 0 && end >= file.count - 22 - 65_535 {
      if try number(end, 4) == 0x0605_4B50 {
        let (count, position) = (try number(end + 10, 2), try number(end + 16, 4))
        guard count == 0xFFFF || position == 0xFFFF_FFFF else { return (position, count) }
        guard try number(end - 20, 4) == 0x0706_4B50 else { break }
        let wide = try number(end - 12, 8)
        guard try number(wide, 4) == 0x0606_4B50 else { break }
        return (try number(wide + 48, 8), try number(wide + 32, 8))
      }
      end -= 1
    }
    throw failure("cut off: a ZIP archive without its directory at the end")
  }

  private func range(_ start: Int, _ count: Int) throws(SafetensorsError) -> Range<Int> {
    guard start >= 0, count >= 0, start <= file.count, count <= file.count - start else {
      throw failure("\(count) bytes from byte \(start) on are not in the file, which has \(file.count)")
    }
    return start..<(start + count)
  }

  /// Little-endian, without a sign; what is past Int fits no file.
  private func number(_ start: Int, _ size: Int) throws(SafetensorsError) -> Int {
    Int(clamping: file[try range(start, size)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
  }

  private func failure(_ reason: String, at offset: Int? = nil) -> SafetensorsError {
    SafetensorsError(path: path, offset: offset, reason: reason)
  }
}
