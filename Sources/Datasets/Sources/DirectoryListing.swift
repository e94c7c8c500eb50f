import Files
import Glibc

/// The entries of one folder, hidden ones left out, sorted by the bytes of their names.
///
/// Names stay bytes: Linux promises no encoding, and a million Strings or URLs would be slow.
package struct DirectoryListing {
  enum Kind {
    case folder
    case file
    /// A link without a target, or one of a loop.
    case brokenLink
    /// A pipe, socket or device: opening one could wait for ever.
    case other
  }

  struct Entry {
    /// Offset of the name in `bytes`; a zero ends it.
    let start: Int
    let length: Int
    let kind: Kind
  }

  private(set) var bytes: [UInt8] = []
  private(set) var entries: [Entry] = []

  /// - Throws: `DataError` where `path` is missing, not a folder, or may not be read.
  init(path: String) throws(DataError) {
    guard let folder = opendir(path) else { throw Self.failure(path, errno) }
    defer { closedir(folder) }
    while true {
      errno = 0
      guard let entry = readdir(folder) else {
        // NULL with errno set is an error, not the end: half a list must not pass for the whole.
        if errno != 0 { throw Self.failure(path, errno) }
        break
      }
      let name = UnsafeRawPointer(entry).advanced(by: MemoryLayout.offset(of: \dirent.d_name)!)
        .assumingMemoryBound(to: CChar.self)
      Heartbeat.beat()
      if name[0] == CChar(UInt8(ascii: ".")) { continue }
      let length = strlen(name)
      let kind = Self.kind(of: entry, name, in: folder)
      entries.append(Entry(start: bytes.count, length: length, kind: kind))
      bytes.append(contentsOf: UnsafeRawBufferPointer(start: name, count: length + 1))
    }
    bytes.withUnsafeBufferPointer { bytes in
      let base = bytes.baseAddress
      // strcmp compares as unsigned bytes, and no two names of a folder are equal.
      entries.sort { strcmp(base! + $0.start, base! + $1.start) < 0 }
    }
  }

  /// The name's bytes without the zero.
  func name(of entry: Entry) -> ArraySlice<UInt8> { bytes[entry.start..<(entry.start + entry.length)] }

  /// Whether the name ends in an extension that we decode, in any case.
  func isImage(_ entry: Entry) -> Bool { Self.isImage(name(of: entry)) }

  static func isImage(_ name: some BidirectionalCollection<UInt8>) -> Bool {
    guard let dot = name.lastIndex(of: UInt8(ascii: ".")) else { return false }
    return imageEndings.contains(name[name.index(after: dot)...].map(lowercase))
  }

  private static let imageEndings = ImageEnding.known.map { [UInt8]($0.utf8) }

  /// Of letters A to Z.
  static func lowercase(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
  }

  private static func kind(
    of entry: UnsafeMutablePointer<dirent>, _ name: UnsafePointer<CChar>, in folder: OpaquePointer
  )
    -> Kind
  {
    switch Int(entry.pointee.d_type) {
    case Int(DT_DIR): return .folder
    case Int(DT_REG): return .file
    case Int(DT_LNK), Int(DT_UNKNOWN): break
    default: return .other
    }
    var status = stat()
    guard fstatat(dirfd(folder), name, &status, 0) == 0 else { return .brokenLink }
    switch status.st_mode & S_IFMT {
    case S_IFDIR: return .folder
    case S_IFREG: return .file
    default: return .other
    }
  }

  private static func failure(_ path: String, _ code: CInt) -> DataError {
    switch code {
    case ENOENT:
      DataError(path, "there is no such folder", remedy: "Check the path; every host of the cluster must see it.")
    case ENOTDIR:
      DataError(path, "this is not a folder", remedy: "Give the folder that holds one folder of images per person.")
    default: DataError(path, "the folder cannot be read: \(String(cString: strerror(code)))")
    }
  }
}
