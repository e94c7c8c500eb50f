/// A file of PyTorch's `torch.save`, or of `torch.jit.save`: where in it each tensor lies.
///
/// Since PyTorch 1.6 it is a ZIP archive: NAME/data.pkl, the pickled object, and NAME/data/KEY, the bytes of one storage
/// each, with a checksum. Before, and with `_use_new_zipfile_serialization=False`, five pickles follow one another (a magic
/// number, a version, sizes, the object, the storages' keys), and then the storages, each behind its count of elements.
/// Only what is needed is read and nothing is executed. Format: PyTorch's `torch/serialization.py`.
struct TorchFile {
  /// In the order of the pickle; two may share bytes.
  private(set) var entries: [SafetensorsHeader.Entry] = []
  /// Tensors that cannot be read, and why.
  private(set) var unreadable: [(name: String, reason: String)] = []
  /// What is worth knowing about the file.
  private(set) var notes: [String] = []

  /// 100 thousand tensors have a tenth of it; a million people's names are in it, too.
  private static let maximumPickle = 64 << 20
  /// 0x1950A86A20F9469CFC6C as a pickle's LONG1, and as a line of protocol 0.
  private static let magic: [UInt8] = [0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E]
  private static let magicLine = "L119547037146038801333356L\n."

  private let file: UnsafeRawBufferPointer
  private let path: String

  private enum Place {
    case checked(ZipArchive.Member)
    case plain(Range<Int>)

    var range: Range<Int> {
      switch self {
      case .checked(let member): member.range
      case .plain(let range): range
      }
    }
  }

  /// nil where the file is none of PyTorch's.
  init?(_ file: UnsafeRawBufferPointer, path: String) throws(SafetensorsError) {
    (self.file, self.path) = (file, path)
    if ZipArchive.isOne(file) {
      try readArchive()
    } else if let start = Self.endOfMagic(file) {
      try readLegacy(from: start)
    } else {
      return nil
    }
    guard entries.isEmpty else { return }
    if let (name, reason) = unreadable.first {
      throw failure("none of its \(unreadable.count) tensors can be read; \(reason)", tensor: name)
    }
    throw failure("a file of PyTorch without any tensor: give one of a state dict or of a checkpoint")
  }

  // MARK: - PyTorch 1.6 and later

  private mutating func readArchive() throws(SafetensorsError) {
    let archive = try ZipArchive(file, path: path)
    let pickles = archive.members.keys.map(\.text).filter { $0.hasSuffix("/data.pkl") || $0 == "data.pkl" }
    guard let pickleName = pickles.min(by: { ($0.utf8.count, $0) < ($1.utf8.count, $1) }) else {
      let isArrays = archive.members.keys.contains { $0.text.hasSuffix(".npy") }
      throw failure(
        isArrays
          ? "NumPy's .npz, which is not read: save its arrays with safetensors.numpy.save_file"
          : "a ZIP archive without a data.pkl: not what torch.save writes")
    }
    let folder = String(pickleName.dropLast("data.pkl".count))
    if let order = try archive.bytes(of: folder + "byteorder"), !order.elementsEqual("little".utf8) {
      throw failure("its numbers are not little-endian: load it and save it again on another machine")
    }
    guard let bytes = try archive.bytes(of: pickleName) else { return }
    guard bytes.count <= Self.maximumPickle else { throw failure("a data.pkl of \(bytes.count) bytes") }
    let start = archive.members[Name(pickleName)]!.range.lowerBound
    let pickle = try PickleGraph(file, start..<(start + bytes.count), path: path)
    if archive.members[Name(folder + "constants.pkl")] != nil { notes.append("a TorchScript archive") }
    if !archive.hasChecksums {
      notes.append("saved without checksums, so that nothing tells whether its bytes are those that were written")
    }
    try take(TorchState(pickle, path: path)) { key throws(SafetensorsError) in
      try archive.plainMember("\(folder)data/\(key)").map { archive.hasChecksums ? .checked($0) : .plain($0.range) }
    }
  }

  // MARK: - Before PyTorch 1.6

  /// Where the second pickle starts; nil where the first is not the magic number.
  private static func endOfMagic(_ file: UnsafeRawBufferPointer) -> Int? {
    // Behind the protocol, and from protocol 4 on a frame.
    for start in [0, 2, 11] where file.dropFirst(start).starts(with: magic) && (start == 0 || file[0] == 0x80) {
      return start + magic.count
    }
    return file.starts(with: magicLine.utf8) ? magicLine.utf8.count : nil
  }

  private mutating func readLegacy(from start: Int) throws(SafetensorsError) {
    var position = start
    func next() throws(SafetensorsError) -> PickleGraph {
      let pickle = try PickleGraph(file, position..<min(file.count, position + Self.maximumPickle), path: path)
      position = pickle.end
      return pickle
    }
    guard case .integer(1001) = try next().root else { throw failure("an unknown version of PyTorch's old format") }
    let system = try next()
    if case .node(let index) = system.root {
      for case (.text("little_endian"), .boolean(false)) in system.nodes[index].items {
        throw failure("its numbers are not little-endian: load it and save it again on another machine")
      }
    }
    let state = try TorchState(next(), path: path)
    let keys = try next()
    guard case .node(let index) = keys.root, keys.nodes[index].kind == .list else {
      throw failure("PyTorch's old format without a list of its storages")
    }
    var widths: [Name: Int] = [:]
    for storage in state.storages {
      let known = widths.updateValue(storage.width, forKey: Name(storage.key))
      guard known == nil || known == storage.width else {
        throw failure("its storage '\(storage.key.prefix(40))' has elements of two sizes")
      }
    }
    var places: [Name: Range<Int>] = [:]
    for case .text(let key) in keys.nodes[index].elements {
      guard file.count - position >= 8 else { throw failure("cut off: its storage '\(key.prefix(40))' is missing") }
      let count = Int64(littleEndian: file.loadUnaligned(fromByteOffset: position, as: Int64.self))
      position += 8
      // One of a tensor that is not read: what follows cannot be found.
      guard let width = widths[Name(key)] else {
        throw failure(
          "its storage '\(key.prefix(40))' is of a type that is not read:"
            + " load it in PyTorch and save the state dict alone with torch.save")
      }
      guard count >= 0, count <= (file.count - position) / width else {
        throw failure("cut off: its storage '\(key.prefix(40))' has \(count) elements")
      }
      guard places.updateValue(position..<(position + Int(count) * width), forKey: Name(key)) == nil else {
        throw failure("two of its storages are named '\(key.prefix(40))'")
      }
      position += Int(count) * width
    }
    guard position == file.count else { throw failure("\(file.count - position) bytes behind its last storage") }
    notes.append("PyTorch's format before 1.6, which has no checksums")
    try take(state) { key throws(SafetensorsError) in places[Name(key)].map { .plain($0) } }
  }

  // MARK: - Tensors

  private mutating func take(
    _ state: TorchState, _ place: (String) throws(SafetensorsError) -> Place?
  ) throws(SafetensorsError) {
    unreadable = state.unreadable
    for (name, tensor) in state.tensors {
      guard let found = try place(tensor.storage.key) else {
        throw failure("its storage '\(tensor.storage.key.prefix(40))' is missing", tensor: name)
      }
      if zip(tensor.shape, tensor.strides).contains(where: { $0 > 1 && $1 == 0 }) {
        unreadable.append((name, "one number stands for many elements: save it with .contiguous()"))
      } else {
        entries.append(try entry(name, tensor, found))
      }
    }
  }

  private func entry(
    _ name: String, _ tensor: TorchState.Tensor, _ place: Place
  ) throws(SafetensorsError) -> SafetensorsHeader.Entry {
    var count = 1
    for extent in tensor.shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow else { throw failure("a shape of \(tensor.shape) fits no file", tensor: name) }
      count = product
    }
    let width = tensor.type.width
    let available = place.range.count / width
    let storage = tensor.storage
    let (first, overflow) = storage.start.addingReportingOverflow(tensor.offset)
    guard storage.start >= 0, tensor.offset >= 0, !overflow, first <= available, count <= available - first else {
      throw failure("\(count) elements from number \(tensor.offset) where its storage has \(available)", tensor: name)
    }
    // The stride of an extent of 1 is never used.
    var (last, stride, isRowMajor) = (first, 1, true)
    for (extent, step) in zip(tensor.shape, tensor.strides).reversed() where count > 0 && extent != 1 {
      let (reach, tooFar) = (extent - 1).multipliedReportingOverflow(by: step)
      guard step > 0, !tooFar, reach < available - last else {
        throw failure("strides of \(tensor.strides) leave its storage: save it with .contiguous()", tensor: name)
      }
      last += reach
      isRowMajor = isRowMajor && step == stride
      stride *= extent
    }
    let start = place.range.lowerBound + first * width
    let end = count == 0 ? start : place.range.lowerBound + (last + 1) * width
    var entry = SafetensorsHeader.Entry(name: name, type: tensor.type, shape: tensor.shape, bytes: start..<end)
    if !isRowMajor { entry.strides = tensor.strides }
    if case .checked(let member) = place { entry.checked = .init(range: member.range, checksum: member.checksum) }
    return entry
  }

  private func failure(_ reason: String, tensor: String? = nil) -> SafetensorsError {
    SafetensorsError(path: path, tensor: tensor, reason: reason)
  }
}
