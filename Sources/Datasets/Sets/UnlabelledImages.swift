package import Files

/// Images of whomever, as one class.
package struct UnlabelledImages: ImageSource {
  private let base: any ImageSource

  init(_ base: any ImageSource) { self.base = base }

  package var location: String { base.location }
  package var count: Int { base.count }
  package var classNames: [Name] { ["images"] }
  package var namesPeople: Bool { false }
  package var notes: [String] { base.notes }

  package func label(of sample: Int) -> Int { 0 }
  package func identifier(of sample: Int) -> String { base.identifier(of: sample) }
  package func path(of sample: Int) -> String { base.path(of: sample) }
  package func encodedSize(of sample: Int) throws -> Int { try base.encodedSize(of: sample) }

  package func withEncodedImage<Result>(
    of sample: Int, scratch: ByteBuffer, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    try base.withEncodedImage(of: sample, scratch: scratch, body)
  }
}

extension ImageSet {
  /// Images at any depth below folders, of .rec files, and of text files with the path of an image a line; who is on them
  /// does not matter.
  ///
  /// - Throws: `DataError`
  package static func unlabelled(_ paths: [String]) throws -> any ImageSource {
    let sets = try paths.map(images)
    return UnlabelledImages(sets.count == 1 ? sets[0] : try ImageUnion(sets, joinsPeople: false))
  }

  /// The images of a .rec, or of a folder that stands for one, in its order; those of another folder or a list sorted by
  /// their paths.
  ///
  /// - Throws: `DataError`
  package static func images(at path: String) throws -> any ImageSource {
    if let record = FilePath.kind(path) == .folder ? record(in: path) : FilePath.hasEnding(".rec", path) ? path : nil {
      return try RecordSet(path: record)
    }
    guard !FilePath.hasEnding(".bin", path) else {
      throw DataError(
        path, "an image of a .bin has no name, and stands in several pairs",
        remedy: "Unpack it, 'cosface dataset unpack \(path) DIR', and give the folder.")
    }
    return try ImageList(at: path)
  }
}
