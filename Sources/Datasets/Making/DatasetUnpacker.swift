import Files
import Foundation

/// Writes a set's images into a folder: `PERSON/IMAGE`, or for a .bin its images and `pairs.txt`.
///
/// Names come from the set, which is not trusted: each must be one plain name, the folder must be new or empty, and files
/// are made only where nothing is. So nothing is written outside of the folder.
package struct DatasetUnpacker {
  package let path: String
  package let folder: String

  package init(path: String, folder: String) {
    self.path = path
    self.folder = folder
  }

  /// Returns the number of images written.
  ///
  /// - Throws: `DataError` where an image cannot be read, or a name would lead elsewhere; `FileError`.
  package func run(progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }) throws -> Int {
    let bin = FilePath.hasEnding(".bin", path) ? try PairBin(path: path) : nil
    let source: any ImageSource = try bin ?? ImageSet.open(path)
    try prepareFolder()
    if bin == nil { try makePeople(source) }
    let scratch = ByteBuffer()
    var names: [String] = []
    for sample in 0..<source.count {
      try source.withEncodedImage(of: sample, scratch: scratch) { bytes in
        let name =
          bin == nil
          ? try self.name(of: sample, source, bytes) : Self.number(sample) + (Self.ending(bytes) ?? ".image")
        try write(bytes, to: name)
        if bin != nil { names.append(name) }
      }
      progress(sample + 1, source.count)
    }
    if let bin {
      let lines = bin.pairs.map { "\(names[$0.first]) \(names[$0.second]) \($0.same ? 1 : 0)\n" }
      try write(Array(lines.joined().utf8).withUnsafeBytes { Data($0) }, to: "pairs.txt")
    }
    return source.count
  }

  private func prepareFolder() throws {
    if mkdir(folder, 0o777) == 0 { return }
    guard errno == EEXIST else { throw FileError("make the folder", folder) }
    guard try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty else {
      throw DataError(folder, "the folder is not empty", remedy: "Give a new one, or one that is empty.")
    }
  }

  private func makePeople(_ source: any ImageSource) throws {
    for person in source.classNames {
      guard Self.isPlain(person.text) else {
        throw DataError(
          path, "a person's name, '\(person.text.printableName)', is none for a folder",
          remedy: "Nothing was written of it.")
      }
      guard mkdir("\(folder)/\(person)", 0o777) == 0 else { throw FileError("make the folder", "\(folder)/\(person)") }
    }
  }

  /// `PERSON/IMAGE`: the image's own name where it has one, with an ending that fits its bytes.
  private func name(of sample: Int, _ source: any ImageSource, _ bytes: UnsafeRawBufferPointer) throws -> String {
    let person = source.classNames[source.label(of: sample)]
    var name = Self.number(sample)
    if (source as? RecordSet)?.hasNames ?? true {
      let given = source.identifier(of: sample)
      name = FilePath.split(given).name
      guard Self.isPlain(name), !FilePath.climbs(given) else {
        throw DataError(
          path, "an image's name, '\(given.printableName)', is none for a file, or leads out of the folder",
          remedy: "\(sample) images were unpacked before it. If you trust the set, take its catalog away: images then "
            + "get numbers for names.")
      }
    }
    if let ending = Self.ending(bytes), !Self.fits(name, ending) {
      name = FilePath.replacingEnding(of: name, by: ending)
    }
    // Two images of a person that lay in two folders.
    if FilePath.exists("\(folder)/\(person)/\(name)") { name = "\(Self.number(sample))-\(name)" }
    return "\(person)/\(name)"
  }

  private func write(_ bytes: UnsafeRawBufferPointer, to name: String) throws {
    let file = "\(folder)/\(name)"
    let descriptor = try OutputFile.create(file)
    defer { close(descriptor) }
    try AtomicFile.write(bytes, to: descriptor, path: file)
  }

  private func write(_ data: Data, to name: String) throws { try data.withUnsafeBytes { try write($0, to: name) } }

  /// One component of a path, visible, that leads nowhere else.
  package static func isPlain(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.first != UInt8(ascii: ".") && !name.utf8.contains { $0 == UInt8(ascii: "/") || $0 == 0 }
      && name.utf8.count <= 255
  }

  private static func number(_ sample: Int) -> String { sample.digits(8) }

  /// What the first bytes tell.
  private static func ending(_ bytes: UnsafeRawBufferPointer) -> String? {
    switch (bytes.first, bytes.dropFirst().first) {
    case (0xFF, 0xD8): ".jpg"
    case (0x89, UInt8(ascii: "P")): ".png"
    case (UInt8(ascii: "P"), UInt8(ascii: "2")), (UInt8(ascii: "P"), UInt8(ascii: "5")): ".pgm"
    case (UInt8(ascii: "P"), UInt8(ascii: "3")), (UInt8(ascii: "P"), UInt8(ascii: "6")): ".ppm"
    default: nil
    }
  }

  private static func fits(_ name: String, _ ending: String) -> Bool {
    let own = FilePath.ending(of: name).map { "." + $0 }
    return own == ending || (ending == ".jpg" && own == ".jpeg")
  }
}
