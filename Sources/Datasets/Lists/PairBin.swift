package import Files
import VectorKernels

/// InsightFace's verification sets (`lfw.bin`, `cfp_fp.bin`, `agedb_30.bin`): a pickle of `(images, issame)`.
///
/// Pair i is images 2 i and 2 i + 1, encoded as files; `issame[i]` tells whether they show the same person. An image that
/// comes in several pairs is stored in each of them, and embedded once. The pickle is read without running any of it
/// (`Pickle`), and the images stay in the mapped file.
///
/// Fold f of ten is the f-th consecutive tenth of the pairs, as InsightFace's programs divide them (scikit-learn's `KFold`
/// without shuffling: the first folds have one more where ten does not divide them) and as LFW's own stand in `lfw.bin`.
///
/// A pickle has no checksum: one flipped bit makes a pair of the same person one of different people. Beside `X.bin` may
/// lie `X.bin.xxh128`, as `xxh128sum X.bin` prints it; then the file must be that.
package struct PairBin: ImageSource {
  package let location: String
  package let pairs: [FacePair]
  /// 0 where there are fewer than ten pairs.
  package let foldCount: Int
  private let file: MappedFile
  /// The images, each once, in the order in which the pairs first name them.
  private let images: [Pickle.Bytes]
  /// The place of each of `images` in the file's list.
  private let places: [Int]
  /// Whether a digest vouches for the file.
  package let hasDigest: Bool

  /// - Throws: `DataError` naming what is not as it should be.
  package init(path: String) throws {
    let file = try MappedFile(path: path)
    defer { withExtendedLifetime(file) {} }
    self.file = file
    location = path
    hasDigest = try Self.checkDigest(of: file)
    let pickle = try Pickle(file.bytes, path: path)
    guard let parts = pickle.elements(pickle.value), parts.count == 2,
      let bins = pickle.elements(parts[0]), let verdicts = pickle.elements(parts[1])
    else { throw DataError(path, "it is not a pickle of (list of images, list of booleans)") }
    guard !verdicts.isEmpty, bins.count == 2 * verdicts.count else {
      throw DataError(path, "\(bins.count) images do not make the \(verdicts.count) pairs that it lists")
    }
    var images: [Pickle.Bytes] = []
    var places: [Int] = []
    var known: [Digest: Int] = [:]
    var numbers: [Int] = []
    numbers.reserveCapacity(bins.count)
    for (place, bin) in bins.enumerated() {
      let bytes: Pickle.Bytes
      switch bin {
      case .bytes(let value): bytes = value
      // A string in which each character stands for a byte: bytes.decode('latin1').
      case .text(let range): bytes = Pickle.Bytes(range: range, isText: true)
      default:
        throw DataError(
          path, "image \(place) is not bytes",
          remedy: "Write it again with pickle.dump(([bytes(b) for b in images], issame), file, protocol=4).")
      }
      let digest = Digest(of: UnsafeRawBufferPointer(rebasing: file.bytes[bytes.range]))
      let number = known[digest] ?? images.count
      if number == images.count {
        known[digest] = number
        images.append(bytes)
        places.append(place)
      }
      numbers.append(number)
    }
    let foldCount = verdicts.count < 10 ? 0 : 10
    let folds = (0..<foldCount).flatMap { fold in
      repeatElement(fold, count: Share.range(of: verdicts.count, fold, foldCount).count)
    }
    pairs = try verdicts.enumerated().map { place, verdict in
      let same: Bool
      switch verdict {
      case .boolean(let value): same = value
      case .integer(let value) where value == 0 || value == 1: same = value == 1
      default: throw DataError(path, "the verdict on pair \(place) is neither True nor False")
      }
      let fold = folds.isEmpty ? 0 : folds[place]
      return FacePair(numbers[2 * place], numbers[2 * place + 1], same: same, fold: fold)
    }
    (self.images, self.places, self.foldCount) = (images, places, foldCount)
  }

  package var count: Int { images.count }
  package var classNames: [Name] { [""] }
  package func label(of sample: Int) -> Int { 0 }
  package func identifier(of sample: Int) -> String { "image \(places[sample])" }

  /// Of the image as stored: an upper bound where the pickle is of protocol 2.
  package func encodedSize(of sample: Int) -> Int { images[sample].range.count }

  package func withEncodedImage<Result>(
    of sample: Int, scratch: ByteBuffer, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    let result = try images[sample].withBytes(in: file.bytes, scratch: scratch, body)
    guard let result else {
      throw DataError(
        path(of: sample), "its text holds characters that are no bytes",
        remedy: "Write it again with images as bytes, or as text decoded by latin1.")
    }
    return result
  }

  /// Writes the file's digest beside it.
  package func writeDigest() throws {
    let line = "\(Digest(of: file.bytes))  \(FilePath.split(location).name)\n"
    try AtomicFile.write(.init(line.utf8), to: Self.digestPath(location))
  }

  static func digestPath(_ path: String) -> String { path + ".xxh128" }

  private static func checkDigest(of file: MappedFile) throws -> Bool {
    let path = digestPath(file.path)
    guard FilePath.exists(path) else { return false }
    let note = try MappedFile(path: path)
    defer { withExtendedLifetime(note) {} }
    guard let digest = Digest(String(decoding: note.bytes.prefix(32), as: UTF8.self)) else {
      throw DataError(path, "it does not begin with a digest of 32 hexadecimal digits")
    }
    guard digest == Digest(of: file.bytes) else {
      throw DataError(file.path, "its bytes are not those whose digest is in \(path.printableName)")
    }
    return true
  }
}

extension Pickle {
  /// Of a list or tuple.
  fileprivate func elements(_ value: Value) -> [Value]? {
    switch value {
    case .list(let index), .tuple(let index): containers[index]
    default: nil
    }
  }
}
