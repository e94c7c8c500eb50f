package import Files

/// A set that a run is validated on, as its options name it.
package struct ValidationSource: Equatable, Sendable {
  package enum Kind: Equatable, Sendable {
    /// A set of people, or a .bin.
    case set(path: String)
    case pairs(path: String, root: String)
    /// The people held out of the training.
    case heldOut
  }

  /// What its curve and column are called.
  package let name: String
  package let kind: Kind

  /// Of the people held out.
  static let heldOutName = "heldOut"
}

extension TrainingOptions {
  /// What the network is validated on while training: those of `validation` in their order, then the people held out.
  ///
  /// A set is called by its file or folder without ending; where two would have one name, by their paths.
  package var validationSources: [ValidationSource] {
    let short = validation.map { FilePath.withoutEnding(FilePath.name(of: $0)) }
    let isClear = Set(short.map { Name($0) }).count == short.count && !short.contains(ValidationSource.heldOutName)
    var sources = zip(validation, short).map { path, name in
      ValidationSource(
        name: isClear ? name : path,
        kind: isPairList(path) ? .pairs(path: path, root: validationImages!) : .set(path: path))
    }
    if holdoutPeople > 0 { sources.append(ValidationSource(name: ValidationSource.heldOutName, kind: .heldOut)) }
    return sources
  }

  /// The one by which the best model is chosen: that of `bestBy`, else the first.
  package var choosingSource: ValidationSource? {
    validationSources.first { bestBy == nil || Name($0.name) == Name(bestBy!) }
  }

  /// Of files, those that are neither .bin nor .rec, where a root for the images of pairs is given.
  private func isPairList(_ path: String) -> Bool {
    validationImages != nil && FilePath.kind(path) != .folder
      && !["bin", "rec"].contains(FilePath.ending(of: path) ?? "")
  }
}
