package import Files
import Foundation

/// What is wrong with a set of images, found by decoding every one of them.
package struct DatasetCheck: Codable, Equatable, Sendable {
  package let info: DatasetInfo
  /// Images that cannot be read or decoded.
  package let unreadable: [BadImage]
  /// How many images have which size, as "112 x 112".
  package let sizes: [String: Int]
  /// Images whose files are the same to the byte.
  package let duplicates: [Duplicates]
  /// Names of people with a single image.
  package let peopleWithOneImage: [Name]

  package struct Duplicates: Codable, Equatable, Sendable {
    package let images: [String]
    /// Whether they are labelled as one person.
    package let samePerson: Bool
  }

  /// Every image decodes, and none is labelled as two people.
  package var isSound: Bool { unreadable.isEmpty && duplicates.allSatisfy(\.samePerson) }

  private struct Row: Sendable {
    let size: String
    let digest: Digest
  }

  /// Decodes everything in the set at `path` with `workers` threads.
  ///
  /// - Throws: `DataError` where the set cannot even be opened: labels that are none or cut off files among the reasons.
  package init(
    path: String, workers: Int = 1, progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws {
    let bin = FilePath.hasEnding(".bin", path) ? try PairBin(path: path) : nil
    let source: any ImageSource = try bin ?? ImageSet.open(path)
    var unreadable: [BadImage] = []
    var sizes: [String: Int] = [:]
    var known: [Digest: [Int]] = [:]
    try OrderedWork.run(0..<source.count, workers: workers) {
      let decoder = ImageDecoder()
      let scratch = ByteBuffer()
      return { sample in Result { try Self.row(sample, source, decoder, scratch) } }
    } consume: { sample, result in
      switch result {
      case .success(let row):
        sizes[row.size, default: 0] += 1
        known[row.digest, default: []].append(sample)
      case .failure(let error):
        let reason = (error as? DataError)?.reason ?? "\(error)"
        unreadable.append(BadImage(sample: sample, identifier: source.identifier(of: sample), reason: reason))
      }
      progress(sample + 1, source.count)
    }
    info = try bin.map { DatasetInfo($0) } ?? DatasetInfo(path: path, source)
    self.unreadable = unreadable
    self.sizes = sizes
    duplicates = known.values.filter { $0.count > 1 }.sorted { $0[0] < $1[0] }.map { samples in
      Duplicates(
        images: samples.map(source.identifier),
        samePerson: samples.allSatisfy { source.label(of: $0) == source.label(of: samples[0]) })
    }
    peopleWithOneImage = bin == nil ? Self.loners(source) : []
  }

  private static func row(
    _ sample: Int, _ source: any ImageSource, _ decoder: ImageDecoder, _ scratch: ByteBuffer
  ) throws -> Row {
    try source.withEncodedImage(of: sample, scratch: scratch) { bytes in
      let image = try decoder.decode(bytes, name: source.path(of: sample))
      return Row(size: "\(image.width) x \(image.height)", digest: Digest(of: bytes))
    }
  }

  private static func loners(_ source: any ImageSource) -> [Name] {
    var counts = [Int](repeating: 0, count: source.classNames.count)
    for sample in 0..<source.count { counts[source.label(of: sample)] += 1 }
    return counts.indices.filter { counts[$0] == 1 }.map { source.classNames[$0] }
  }
}

extension DatasetCheck {
  /// For people; of each kind of finding the first ones.
  package var text: [(name: String, value: String)] {
    let limit = 20
    func list(_ name: String, _ items: [String], none: String) -> [(String, String)] {
      guard !items.isEmpty else { return [(name, none)] }
      return [(name, "\(items.count.grouped)")] + items.prefix(limit).map { ("", $0) }
        + (items.count > limit ? [("", "and \((items.count - limit).grouped) more; --json lists all")] : [])
    }
    let common = sizes.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    let shown = common.prefix(5).map { "\($0.key): \($0.value.grouped)" }.joined(separator: ", ")
    return info.lines + [("sizes", shown + (common.count > 5 ? " and \(common.count - 5) other sizes" : ""))]
      + list("unreadable", unreadable.map { "\($0.identifier): \($0.reason)" }, none: "none")
      + list(
        "duplicates",
        duplicates.sorted { !$0.samePerson && $1.samePerson }.map {
          $0.images.joined(separator: " = ") + ($0.samePerson ? "" : "  (as different people)")
        }, none: "none")
      + list("one image", peopleWithOneImage.map(\.text), none: "nobody has only one")
  }
}
