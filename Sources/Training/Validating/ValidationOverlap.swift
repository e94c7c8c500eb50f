import Datasets
import Files

extension ValidationSet {
  /// Warnings before the first step: people and images of the set that the network also trains on. People are
  /// compared by name where both sets have names, images by path. A .bin has neither.
  func warnings(trainingOn training: any ImageSource) -> [String] {
    guard source.kind != .heldOut else { return [] }
    let images = verification.source
    var warnings: [String] = []
    if verification.knowsPeople, images.namesPeople, training.namesPeople {
      let known = Set(training.classNames)
      let shared = images.classNames.filter(known.contains)
      if !shared.isEmpty {
        warnings.append(
          warning(
            shared.map(\.text), "\(shared.count) of the \(images.classNames.count) people", "have names of people"))
      }
    }
    let shared = ImagePaths(images, verification.samples).shared(with: training)
    if !shared.isEmpty {
      warnings.append(warning(shared, "\(shared.count) of the \(verification.samples.count) images", "are images"))
    }
    return warnings
  }

  private func warning(_ names: [String], _ who: String, _ what: String) -> String {
    let examples = names.prefix(3).map(\.printableName).joined(separator: ", ") + (names.count > 3 ? ", ..." : "")
    return
      "warning   \(who) of the validation '\(source.name.printableName)' \(what) in --data (\(examples)): accuracy and best "
      + "model look better than they are for strangers, and so does the threshold that is kept. Validate by other people; "
      + "--holdout-people n keeps n out of the training."
  }
}

/// Paths of images without links, to find those that two sets share.
private struct ImagePaths {
  /// File names, compared first: few images of a large set are left for the paths.
  private var names: Set<Name> = []
  private var paths: Set<Name> = []

  init(_ source: any ImageSource, _ samples: [Int]) {
    guard !(source is PairBin) else { return }
    var folders: [Name: String] = [:]
    for sample in samples {
      let (folder, name) = FilePath.split(source.path(of: sample))
      names.insert(Name(name))
      paths.insert(Self.path(folder, name, &folders))
    }
  }

  /// The images of `other` that are among these, as it names them.
  func shared(with other: any ImageSource) -> [String] {
    guard !names.isEmpty else { return [] }
    var folders: [Name: String] = [:]
    return (0..<other.count).filter { sample in
      let (folder, name) = FilePath.split(other.path(of: sample))
      return names.contains(Name(name)) && paths.contains(Self.path(folder, name, &folders))
    }.map(other.identifier)
  }

  private static func path(_ folder: String, _ name: String, _ folders: inout [Name: String]) -> Name {
    let resolved = folders[Name(folder)] ?? FilePath.resolved(folder)
    folders[Name(folder)] = resolved
    return Name("\(resolved)/\(name)")
  }
}
