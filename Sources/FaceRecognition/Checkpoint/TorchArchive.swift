/// The tensors of a state dict that PyTorch has saved (`torch.save`, PyTorch 1.6 and later): where in the file each lies.
///
/// The file is a ZIP archive without compression: NAME/data.pkl, the pickled dictionary, and NAME/data/KEY, the bytes of one
/// storage each, little-endian. Only what is needed is read, nothing is executed, and every number is checked against the
/// file's size. Formats: PKWARE's APPNOTE.TXT; PyTorch's `torch/serialization.py`.
struct TorchArchive {
  /// In the dictionary's order; two may share bytes.
  private(set) var entries: [SafetensorsHeader.Entry] = []

  /// 100 thousand tensors have a tenth of it.
  private static let maximumPickle = 64 << 20

  static func isOne(_ file: UnsafeRawBufferPointer) -> Bool { file.starts(with: [0x50, 0x4B, 0x03, 0x04]) }

  private let file: UnsafeRawBufferPointer
  private let path: String

  init(_ file: UnsafeRawBufferPointer, path: String) throws(SafetensorsError) {
    (self.file, self.path) = (file, path)
    let members = try members()
    guard let pickle = members.keys.filter({ $0.hasSuffix("/data.pkl") }).min(by: { $0.count < $1.count }) else {
      throw failure("a ZIP archive without a data.pkl: not what torch.save writes")
    }
    let folder = pickle.dropLast("data.pkl".count)
    if let order = members["\(folder)byteorder"], !file[order].elementsEqual("little".utf8) {
      throw failure("its numbers are not little-endian: load it and save it again on another machine")
    }
    let bytes = members[pickle]!
    guard bytes.count <= Self.maximumPickle else { throw failure("a data.pkl of \(bytes.count) bytes") }
    for (name, tensor) in try TorchPickle(file, bytes, path: path).tensors() {
      guard let storage = members["\(folder)data/\(tensor.storage)"] else {
        throw failure("its storage '\(tensor.storage.prefix(40))' is missing", tensor: name)
      }
      entries.append(try entry(name, tensor, in: storage))
    }
  }

  private func entry(
    _ name: String, _ tensor: TorchPickle.Tensor, in storage: Range<Int>
  ) throws(SafetensorsError) -> SafetensorsHeader.Entry {
    var count = 1
    for extent in tensor.shape.reversed() {
      // The stride of an extent of 1 is never used.
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow else { throw failure("a shape of \(tensor.shape) fits no file", tensor: name) }
      count = product
    }
    var stride = 1
    for (extent, found) in zip(tensor.shape, tensor.strides).reversed() where count > 0 && extent != 1 {
      guard found == stride else {
        throw failure("its elements are not in row-major order: save it with .contiguous()", tensor: name)
      }
      stride *= extent
    }
    let (width, available) = (tensor.type.width, storage.count / tensor.type.width)
    guard (0...available).contains(tensor.offset), count <= available - tensor.offset else {
      throw failure("\(count) elements from number \(tensor.offset) where its storage has \(available)", tensor: name)
    }
    let start = storage.lowerBound + tensor.offset * width
    return .init(name: name, type: tensor.type, shape: tensor.shape, bytes: start..<(start + count * width))
  }

  // MARK: - The archive

  /// The bytes of each member, by name.
  private func members() throws(SafetensorsError) -> [String: Range<Int>] {
    var (position, count) = try directory()
    var members: [String: Range<Int>] = [:]
    while count > 0 {
      count -= 1
      guard try number(position, 4) == 0x0201_4B50 else { throw failure("its directory is damaged", at: position) }
      let lengths = (try number(position + 28, 2), try number(position + 30, 2), try number(position + 32, 2))
      let nameStart = position + 46
      let extra = try range(nameStart + lengths.0, lengths.1)
      let name = String(decoding: file[try range(nameStart, lengths.0)], as: UTF8.self)
      guard try number(position + 10, 2) == 0 else { throw failure("its member '\(name)' is compressed", at: position) }
      var (size, offset) = (try number(position + 24, 4), try number(position + 42, 4))
      let packed = try number(position + 20, 4)
      try widen(&size, &offset, isPackedWide: packed == 0xFFFF_FFFF, extra)
      guard try number(offset, 4) == 0x0403_4B50 else {
        throw failure("its member '\(name)' is not where the directory says", at: position)
      }
      let start = offset + 30 + (try number(offset + 26, 2)) + (try number(offset + 28, 2))
      guard members.updateValue(try range(start, size), forKey: name) == nil else {
        throw failure("two members are named '\(name)'", at: position)
      }
      position = nameStart + lengths.0 + lengths.1 + lengths.2
    }
    return members
  }

  /// Replaces sizes that do not fit 32 bits by those of the extra field 1 (ZIP64): whole size, packed size, offset.
  private func widen(
    _ size: inout Int, _ offset: inout Int, isPackedWide: Bool, _ extra: Range<Int>
  ) throws(SafetensorsError) {
    var position = extra.lowerBound
    while position + 4 <= extra.upperBound {
      let (kind, length) = (try number(position, 2), try number(position + 2, 2))
      position += 4
      if kind == 1 {
        var field = position
        if size == 0xFFFF_FFFF {
          size = try number(field, 8)
          field += 8
        }
        if isPackedWide { field += 8 }
        if offset == 0xFFFF_FFFF { offset = try number(field, 8) }
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

  private func failure(_ reason: String, tensor: String? = nil, at offset: Int? = nil) -> SafetensorsError {
    SafetensorsError(path: path, tensor: tensor, offset: offset, reason: reason)
  }
}
