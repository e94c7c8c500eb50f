import Datasets
import Files

extension Validation {
  /// What a person should know before the first step: who is validated on though the network trains on them. Names are compared
  /// where both sets have them, and images by their paths.
  ///
  /// The images of a .bin have neither.
  func warnings(trainingOn training: any ImageSource) -> [String] {
    let source = verification.source
    var warnings: [String] = []
    if verification.knowsPeople, source.namesPeople, training.namesPeople {
      let known = Set(training.classNames)
      let shared = source.classNames.filter(known.contains)
      if !shared.isEmpty {
        warnings.append(
          Self.warning(
            shared.map(\.text), "\(shared.count) of the \(source.classNames.count) people", "have names of people"))
      }
    }
    let shared = ImagePaths(source, verification.samples).shared(with: training)
    if !shared.isEmpty {
      warnings.append(Self.warning(shared, "\(shared.count) of the \(verification.samples.count) images", "are images"))
    }
    return warnings
  }

  private static func warning(_ names: [String], _ who: String, _ what: String) -> String {
    let examples = names.prefix(3).map(\.printableName).joined(separator: ", ") + (names.count > 3 ? ", ..." : "")
    return
      "warning   \(who) of the validation \(what) in --data (\(examples)): accuracy and best checkpoint look better "
      + "than they are for strangers, and threshold.json comes from them. Validate by other people; --holdout-people n "
      + "keeps n out of the training."
  }
}

/// Where images are, folders without links; to find those that two sets share.
private struct ImagePaths {
  /// The images' own names: few of a large set need a closer look.
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
