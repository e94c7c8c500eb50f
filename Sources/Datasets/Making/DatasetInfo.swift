import Files
import Foundation

/// What a set of images holds, as far as it shows without decoding one.
package struct DatasetInfo: Codable, Equatable, Sendable {
  package let path: String
  /// "folder", "record file", "list", "pairs".
  package let form: String
  package let images: Int
  /// Nil for pairs, which say nothing of people.
  package let people: Int?
  package let imagesPerPerson: Spread?
  package let peopleWithOneImage: Int?
  /// Of a .bin.
  package let pairs: PairCount?
  /// Images that are no files: broken links, pipes, folders with an image's name.
  package let absent: [BadImage]
  /// Bytes of the encoded images.
  package let bytes: Int
  package let imageBytes: Spread
  /// What vouches for labels and bytes; nil where the form has no such thing.
  package let warrant: RecordSet.Warrant?
  /// What was taken for something that its user may not have meant.
  package let notes: [String]

  package struct Spread: Codable, Equatable, Sendable {
    package let smallest: Int
    package let median: Int
    package let largest: Int

    /// `values` must not be empty.
    init(_ values: [Int]) {
      let sorted = values.sorted()
      (smallest, median, largest) = (sorted[0], sorted[sorted.count / 2], sorted[sorted.count - 1])
    }

    var text: String { "\(smallest) to \(largest), median \(median)" }
  }

  package struct PairCount: Codable, Equatable, Sendable {
    package let same: Int
    package let different: Int
  }

  /// - Throws: `DataError` where the set cannot be opened, or holds not one file.
  package init(path: String) throws {
    if FilePath.hasEnding(".bin", path) {
      self.init(try PairBin(path: path))
    } else {
      try self.init(path: path, ImageSet.open(path))
    }
  }

  init(_ bin: PairBin) {
    path = bin.location
    form = "pairs"
    images = bin.count
    (people, imagesPerPerson, peopleWithOneImage) = (nil, nil, nil)
    let same = bin.pairs.count { $0.same }
    pairs = PairCount(same: same, different: bin.pairs.count - same)
    let sizes = (0..<bin.count).map(bin.encodedSize)
    absent = []
    bytes = sizes.reduce(0, +)
    imageBytes = Spread(sizes)
    warrant = bin.hasDigest ? .catalog : .nothing
    notes = []
  }

  init(path: String, _ source: any ImageSource) throws {
    self.path = path
    form =
      switch source {
      case is RecordSet: "record file"
      case is LabelledList: "list"
      default: "folder"
      }
    images = source.count
    var counts = [Int](repeating: 0, count: source.classNames.count)
    for sample in 0..<source.count { counts[source.label(of: sample)] += 1 }
    people = counts.count
    imagesPerPerson = Spread(counts)
    peopleWithOneImage = counts.count { $0 == 1 }
    pairs = nil
    var (sizes, absent): ([Int], [BadImage]) = ([], [])
    for sample in 0..<source.count {
      do {
        sizes.append(try source.encodedSize(of: sample))
      } catch let error as DataError {
        absent.append(BadImage(sample: sample, identifier: source.identifier(of: sample), reason: error.reason))
      }
    }
    guard !sizes.isEmpty else {
      throw DataError(path, "none of its \(absent.count) images is there; \(absent[0].identifier): \(absent[0].reason)")
    }
    self.absent = absent
    bytes = sizes.reduce(0, +)
    imageBytes = Spread(sizes)
    warrant = (source as? RecordSet)?.warrant
    notes = source.notes
  }
}

extension DatasetInfo {
  /// For people.
  package var lines: [(name: String, value: String)] {
    var lines = [("set", "\(path) (\(form))"), ("images", images.grouped)]
    if let people, let imagesPerPerson, let peopleWithOneImage {
      lines.append(("people", people.grouped))
      lines.append(("images each", imagesPerPerson.text + "; \(peopleWithOneImage.grouped) people with one"))
    }
    if let pairs { lines.append(("pairs", "\(pairs.same) of the same person, \(pairs.different) of different people")) }
    if !absent.isEmpty {
      lines.append(("no files", "\(absent.count.grouped) of the images"))
      lines += absent.prefix(20).map { ("", "\($0.identifier): \($0.reason)") }
      if absent.count > 20 { lines.append(("", "and \((absent.count - 20).grouped) more; --json lists all")) }
    }
    lines.append(("bytes", "\(bytes.grouped); an image \(imageBytes.text)"))
    switch warrant {
    case .catalog:
      lines.append(
        (
          "warrant",
          pairs == nil
            ? "a digest of each record, compared whenever it is read ('cosface dataset check' reads all)"
            : "a digest of the file, which was compared: its bytes are those"
        ))
    case .ranges: lines.append(("warrant", "ranges of people confirm the labels; nothing does the pictures"))
    case .nothing: lines.append(("warrant", "none: a flipped bit in a label or picture would not be noticed"))
    case nil: break
    }
    return lines + notes.map { ("note", $0) }
  }
}
