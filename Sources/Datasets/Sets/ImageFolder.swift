package import Files

/// A folder of folders: `root/person/image`, one folder per person.
///
/// People and images are sorted by the bytes of their names, hidden files are ignored, links are followed one level (so
/// that a loop of links ends). Paths are kept as bytes in one array: about 20 bytes an image beside its name.
package struct ImageFolder: ImageFiles {
  /// The list of all images that `dataset align` writes into its output folder.
  package static let alignmentList = "alignment.csv"

  package let location: String
  package let classNames: [Name]
  /// File names, each ended by a zero, one after the other.
  let names: [UInt8]
  /// Where each sample's name starts in `names`.
  let nameStarts: [Int]
  private let labels: [Int32]
  package let notes: [String]

  /// Lists the folder; no image is opened.
  ///
  /// - Throws: `DataError` where the folder is missing or empty, holds images beside the people's folders, or a person
  ///   has no image file.
  package init(root: String) throws {
    location = FilePath.withoutFinalSlash(root)
    var passedOver = PassedOver()
    let people = try Self.people(in: location, &passedOver)
    var names: [UInt8] = []
    var nameStarts: [Int] = []
    var labels: [Int32] = []
    for (label, person) in people.enumerated() {
      let path = "\(location)/\(person)"
      let listing = try DirectoryListing(path: path)
      let before = nameStarts.count
      // A broken link, a pipe or a folder of such a name stays: it is an image that cannot be read, to be named and counted
      // when its turn comes.
      for entry in listing.entries {
        guard listing.isImage(entry) else {
          passedOver.add(entry, of: listing)
          continue
        }
        nameStarts.append(names.count)
        labels.append(Int32(label))
        names.append(contentsOf: listing.bytes[entry.start...(entry.start + entry.length)])
      }
      if nameStarts.count == before { throw Self.noImages(path, listing) }
    }
    guard nameStarts.count <= Int(Int32.max) else {
      throw DataError(location, "\(nameStarts.count) images are more than \(Int32.max)")
    }
    classNames = people
    self.names = names
    self.nameStarts = nameStarts
    self.labels = labels
    notes = passedOver.note(of: location)
  }

  package var count: Int { nameStarts.count }

  package func label(of sample: Int) -> Int { Int(labels[sample]) }

  /// `person/image`; bytes that are not UTF-8 are shown as `\xFF`, so that two names stay two.
  package func identifier(of sample: Int) -> String {
    let name = names[nameStarts[sample]...].prefix { $0 != 0 }
    return "\(classNames[Int(labels[sample])])/\(Name.text(of: name))"
  }

  private static func people(in root: String, _ passedOver: inout PassedOver) throws(DataError) -> [Name] {
    let listing = try DirectoryListing(path: root)
    let layout = "Images belong into one folder per person: \(root.printableName)/NAME/IMAGE."
    var people: [Name] = []
    for entry in listing.entries {
      switch entry.kind {
      case .folder:
        guard let name = String(validating: listing.name(of: entry), as: UTF8.self) else {
          let shown = Name.text(of: listing.name(of: entry))
          throw DataError("\(root)/\(shown)", "the folder's name is not UTF-8", remedy: "Rename it.")
        }
        people.append(Name(name))
      case .brokenLink:
        let name = Name.text(of: listing.name(of: entry))
        throw DataError("\(root)/\(name)", "this link leads nowhere, or in a loop", remedy: "Mend or remove it.")
      case .file where listing.isImage(entry):
        let name = Name.text(of: listing.name(of: entry))
        throw DataError("\(root)/\(name)", "this image lies beside the people's folders", remedy: layout)
      // Our own list of what was aligned.
      case .file where listing.name(of: entry).elementsEqual(Self.alignmentList.utf8): continue
      case .file, .other: passedOver.add(entry, of: listing)
      }
    }
    guard !people.isEmpty else {
      throw DataError(
        root, listing.entries.isEmpty ? "the folder is empty" : "there is no folder in it", remedy: layout)
    }
    return people
  }

  private static func noImages(_ path: String, _ listing: DirectoryListing) -> DataError {
    if listing.entries.contains(where: { $0.kind == .folder }) {
      return DataError(
        path, "a person's folder with folders in it and no image file",
        remedy: "If the people are one level further down, give \(path.printableName) itself.")
    }
    var passedOver = PassedOver()
    for entry in listing.entries { passedOver.add(entry, of: listing) }
    return DataError(
      path,
      "a person's folder without an image file (\(ImageEnding.list))"
        + (passedOver.text.map { ", but with \($0)" } ?? ""), remedy: "Fill it or remove it.")
  }
}
