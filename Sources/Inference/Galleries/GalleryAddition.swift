package import Datasets
package import Files
package import Weights

/// Images that join a file of embeddings; those that it has keep their rows and are not embedded again.
package struct GalleryAddition: Sendable {
  package struct Options: Sendable {
    package var model: String
    /// What is said of it beside its file.
    package var assumedModel = AssumedModel()
    /// The file.
    package var gallery: String
    /// A folder of images at any depth, a list of them with people, or a .rec.
    package var data: String
    package var flip = FlipTest.sum
    /// Fraction of the new images that may be unreadable.
    package var maximumBadImages = 0.001
    package var batchSize = 32
    package var workers = 1

    package init(model: String, gallery: String, data: String) {
      (self.model, self.gallery, self.data) = (model, gallery, data)
    }
  }

  package let added: Int
  /// Images of which the file has a row of this name already.
  package let known: Int
  /// In the file now.
  package let rows: Int
  package let people: Int
  package let badImages: [BadImage]
  package let notes: [String]

  /// Embeds what is new and replaces the file. Every rank calls it with the same values; rank 0 writes.
  ///
  /// - Throws: `DataError` where the file was made by another model or flip test, an image shows nobody, or an image's name
  ///   has a row of another person; `EvaluationError`, `FileError`.
  package init(_ options: Options, _ group: any EmbeddingGroup) throws {
    let file = try GalleryFile(path: options.gallery)
    let network = try ModelFile.open(options.model, assuming: options.assumedModel).network
    let doubts = try file.rows.check(madeBy: network, options.model, flip: options.flip)
    guard doubts.isEmpty else {
      throw DataError(
        options.gallery, "it does not say which model made its rows, so that others may not fit to them",
        remedy: "Embed its images again by 'cosface embed'.")
    }
    let images = try NamedImages(path: options.data)
    if let record = images.source as? RecordSet, !record.hasNames {
      throw DataError(
        options.data, "its images have no names, so that nobody knows which of them the gallery has",
        remedy: "Give a .rec that 'cosface dataset pack' made, with its catalog, or a folder: 'cosface dataset unpack'."
      )
    }
    let new = try Self.newSamples(images, file)
    known = images.source.count - new.count
    notes = images.source.notes
    guard !new.isEmpty else {
      (added, rows, people, badImages) = (0, file.labels.count, file.people.count, [])
      return
    }
    let limit = BadImage.limit(options.maximumBadImages, of: new.count)
    let embedder = Embedder(network, batchSize: options.batchSize, workers: options.workers)
    let embeddings = try embedder.embed(
      images.source, samples: new, flip: options.flip, badImageLimit: limit, group)
    var rows = GalleryFile.NewRows()
    for row in 0..<embeddings.count {
      rows.names.append(images.name(of: embeddings.samples[row]))
      rows.people.append(images.person(of: embeddings.samples[row]))
      rows.sizes.append(try images.source.encodedSize(of: embeddings.samples[row]))
      // A row without a direction would make the file useless.
      let unit = try embeddings.unitVector(row, of: images.source)
      rows.values += file.rows.origin.isNormalized ? unit : embeddings.vector(row)
    }
    if group.rank == 0 { try file.add(rows) }
    added = rows.names.count
    self.rows = file.labels.count + rows.names.count
    people = Set(file.people).union(rows.people).count
    badImages = embeddings.badImages
  }

  /// The samples of which the file has no row.
  private static func newSamples(_ images: NamedImages, _ file: GalleryFile) throws -> [Int] {
    var places: [Name: Int] = [:]
    for (row, name) in file.rows.names.enumerated() { places[name] = row }
    var new: [Int] = []
    for sample in 0..<images.source.count {
      let (name, person) = (images.name(of: sample), images.person(of: sample))
      guard !person.text.isEmpty else {
        throw DataError(
          images.source.path(of: sample), "nothing says whom this image shows",
          remedy: "Put it into a folder of the person's name, or give a list 'path person'.")
      }
      guard let row = places[name] else {
        new.append(sample)
        continue
      }
      let shown = file.people[file.labels[row]]
      guard shown == person else {
        throw DataError(
          images.source.path(of: sample),
          "\(file.rows.path.printableName) has a row of the name '\(name.text.printableName)' that shows "
            + "'\(shown.text.printableName)', and here it is '\(person.text.printableName)'",
          remedy: "Rename the image, or take the person out first: 'cosface gallery remove'.")
      }
      if let change = try file.rows.change(ofRow: row, images.source, sample) {
        throw DataError(
          images.source.path(of: sample),
          "\(file.rows.path.printableName) has a row of the name '\(name.text.printableName)' of another picture: this one has "
            + "\(change.bytes.counted("byte")), that had \(change.embeddedBytes.grouped)",
          remedy: "Rename the image, or take the person out first: 'cosface gallery remove'.")
      }
    }
    var seen: Set<Name> = []
    if let twice = new.first(where: { !seen.insert(images.name(of: $0)).inserted }) {
      throw DataError(images.source.path(of: twice), "the set names this image twice", remedy: "Name it once.")
    }
    return new
  }
}
