import Files

/// The endings of image files' names.
enum ImageEnding {
  /// Those of the formats that we decode, in any case; in the order in which they are tried where a name lacks its own.
  static let known = ["jpg", "jpeg", "png", "pgm", "ppm", "jfif", "jpe", "jif", "jfi", "pnm", "apng"]
  /// As told to people.
  static let list = known.joined(separator: ", ")
}

/// What stands in a folder of images and is not read, counted by the names' endings.
struct PassedOver {
  private var files: [Name: Int] = [:]
  private var folders = 0

  mutating func add(_ entry: DirectoryListing.Entry, of listing: DirectoryListing) {
    guard entry.kind != .folder else {
      folders += 1
      return
    }
    let name = listing.name(of: entry)
    let ending = name.lastIndex(of: UInt8(ascii: ".")).map { name[$0...] } ?? []
    // No ending, or a name with a dot in it.
    let shown = (2...9).contains(ending.count) ? Name.text(of: ending.map(DirectoryListing.lowercase)) : "others"
    files[Name(shown), default: 0] += 1
  }

  /// For people; nil where nothing is passed over.
  var text: String? {
    let count = files.values.reduce(0, +)
    var parts: [String] = []
    if count > 0 {
      let kinds = files.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      let named = kinds.prefix(10).map { "\($0.key) \($0.value.grouped)" }
      parts.append(
        "\(count.grouped) file\(count == 1 ? "" : "s") (\(named.joined(separator: ", "))\(kinds.count > 10 ? ", ..." : ""))"
      )
    }
    if folders > 0 { parts.append("\(folders.grouped) folder\(folders == 1 ? "" : "s") in people's folders") }
    return parts.isEmpty ? nil : parts.joined(separator: " and ")
  }

  /// For the notes of a set of images.
  func note(of location: String) -> [String] {
    text.map { ["\(location.printableName): passed over are \($0); read are the endings \(ImageEnding.list)"] } ?? []
  }
}
