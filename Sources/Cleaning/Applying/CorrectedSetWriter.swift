package import Datasets
package import Files
import Foundation

/// Writes a corrected set: as a list of files and people, as a folder of links, or as a .rec. The images stay where
/// they are.
package struct CorrectedSetWriter {
  /// What a name of the output asks for.
  package enum Form: Equatable, Sendable {
    case list, links, record

    package init(of path: String) {
      if FilePath.hasEnding(".rec", path) {
        self = .record
      } else {
        self = [".txt", ".csv", ".tsv"].contains { FilePath.hasEnding($0, path) } ? .list : .links
      }
    }
  }

  private let images: ImageSubset
  private let base: any ImageSource
  private let output: String
  package let form: Form

  /// - Throws: `DataError` where images of a .rec would have to be files, or the output is in the way.
  package init(_ images: ImageSubset, of base: any ImageSource, to output: String) throws(DataError) {
    (self.images, self.base, self.output) = (images, base, FilePath.withoutFinalSlash(output))
    form = Form(of: output)
    guard form == .record || base is any ImageFiles else {
      throw DataError(
        output, "the images of \(base.location.printableName) are records and no files, which no list or link can name",
        remedy: "Give a name that ends in .rec.")
    }
    if form == .links, FilePath.exists(self.output) {
      throw DataError(output, "it is there already", remedy: "Give a new name.")
    }
  }

  /// - Parameter workers: threads that read and write a .rec.
  /// - Throws: `FileError`, or `DataError` that names what cannot be written.
  package func write(workers: Int = 1, progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }) throws {
    switch form {
    case .list: try writeList()
    case .links: try writeLinks(progress)
    case .record:
      var packer = RecordPacker(images, output: output, reencoding: ImageReencoding(side: nil, quality: nil))
      packer.workers = workers
      _ = try packer.run { progress($0, images.count) }
    }
  }

  private func writeList() throws {
    let file = try AtomicFile(path: output)
    // The titles keep a reader from taking the first image for some.
    var text = "path,label\n"
    for sample in 0..<images.count {
      let fields = [try path(of: sample), images.classNames[images.label(of: sample)].text].map { field in
        "\"" + field.replacing("\"", with: "\"\"") + "\""
      }
      guard !fields.contains(where: { $0.utf8.contains(10) || $0.utf8.contains(13) }) else {
        throw DataError(images.path(of: sample), "its name is not one line", remedy: "Give a new folder as output.")
      }
      text += fields.joined(separator: ",") + "\n"
      if text.utf8.count > 1 << 20 || sample == images.count - 1 {
        try Array(text.utf8).withUnsafeBytes { try file.write($0) }
        text = ""
      }
    }
    try file.commit()
  }

  /// `PERSON/IMAGE`, in a folder that gets its name when it is whole.
  private func writeLinks(_ progress: (Int, Int) -> Void) throws {
    let (parent, name) = FilePath.split(output)
    let folder = "\(parent)/.\(name).\(getpid())-links.tmp"
    guard mkdir(folder, 0o777) == 0 else { throw FileError("make the folder", output) }
    do {
      for person in images.classNames {
        guard DatasetUnpacker.isPlain(person.text) else {
          throw DataError(
            images.location, "a person's name, '\(person.text.printableName)', is none for a folder",
            remedy: "Give a list as output: a name that ends in .csv.")
        }
        guard mkdir("\(folder)/\(person)", 0o777) == 0 else {
          throw FileError("make the folder", "\(output)/\(person)")
        }
      }
      for sample in 0..<images.count {
        let target = try path(of: sample)
        let person = images.classNames[images.label(of: sample)]
        let own = FilePath.split(images.identifier(of: sample)).name
        var link = "\(folder)/\(person)/\(own)"
        if FilePath.exists(link) { link = "\(folder)/\(person)/\(sample.digits(8))-\(own)" }
        guard symlink(target, link) == 0 else { throw FileError("make a link in", "\(output)/\(person)") }
        progress(sample + 1, images.count)
      }
      guard rename(folder, output) == 0 else { throw FileError("rename the finished folder to", output) }
    } catch {
      try? FileManager.default.removeItem(atPath: folder)
      throw error
    }
  }

  /// Where a list or a link may find the image from anywhere.
  private func path(of sample: Int) throws(DataError) -> String {
    let path = images.path(of: sample)
    // As names that are not UTF-8 are shown: then this is not the file's path.
    guard !path.utf8.contains(UInt8(ascii: "\\")) || FilePath.exists(path) else {
      throw DataError(path, "its name is not UTF-8", remedy: "Rename it, or give a name that ends in .rec as output.")
    }
    return FilePath.isAbsolute(path) ? path : FilePath.join(FileManager.default.currentDirectoryPath, path)
  }
}
