package import Datasets
package import Files

/// A set of images as the rows of a file of embeddings are called: an image's name, and the person whom it shows.
package struct NamedImages: Sendable {
  package let source: any ImageSource
  /// Whether the set tells people apart; else the folders of its images do.
  package let isLabelled: Bool

  /// A folder of images at any depth, a list of them with people or without, or a .rec.
  ///
  /// - Throws: `DataError`, also for a name that is not one line, as the names of rows are.
  package init(path: String) throws {
    let source = try ImageSet.images(at: path)
    self.source = source
    // It has one class for all.
    isLabelled = !(source is ImageList)
    guard isLabelled else { return }
    func isLine(_ text: String) -> Bool {
      !text.utf8.contains { $0 == 10 || $0 == 13 } && !text.contains(where: \.isNewline)
    }
    if let sample = (0..<source.count).first(where: { !isLine(source.identifier(of: $0)) }) {
      throw DataError(source.path(of: sample), "this name is not one line", remedy: "Rename it and pack the set again.")
    }
    if let person = source.classNames.first(where: { !isLine($0.text) || $0.text.isEmpty }) {
      throw DataError(
        path, "the person's name '\(person.text.printableName)' is not one line", remedy: "Rename the person.")
    }
  }

  package func name(of sample: Int) -> Name { Name(source.identifier(of: sample)) }

  /// An empty name where nothing says it.
  package func person(of sample: Int) -> Name {
    isLabelled ? source.classNames[source.label(of: sample)] : EmbeddingFile.folder(of: name(of: sample))
  }
}
