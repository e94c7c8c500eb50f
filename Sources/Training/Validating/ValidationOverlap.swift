import Datasets
import Files
import MPI
import VectorKernels

/// What the sets for validation share with the training: people by their names and images by their paths, told before the first
/// step; images that are the same bytes under other names, told after the first validation behind them. They are found while
/// training reads them.
final class ValidationOverlap {
  /// Before the first step.
  private(set) var warnings: [String] = []
  /// Is shown what training reads; nil where nothing is looked for.
  let images: KnownImages?

  private let sets: [ValidationSet]
  private let training: any ImageSource
  private let communicator: Communicator
  /// Samples of the training that are told already.
  private var told: Set<Int> = []

  /// Every rank calls it: they share the reading of the sets.
  init(_ sets: [ValidationSet], trainingOn training: any ImageSource, _ communicator: Communicator) throws {
    // Those who are held out are of the same set: others by its own account.
    self.sets = sets.filter { $0.source.kind != .heldOut }
    (self.training, self.communicator) = (training, communicator)
    var groups: [KnownImages.Key: Int] = [:]
    for (group, set) in self.sets.enumerated() {
      for key in try set.keys(communicator) { groups[key] = group }
    }
    images = groups.isEmpty ? nil : KnownImages(groups)
    for set in self.sets {
      warnings += set.sharedPeople(with: training)
      let shared = set.sharedPaths(with: training)
      told.formUnion(shared)
      guard !shared.isEmpty else { continue }
      warnings.append(
        set.warning(
          shared.map(training.identifier), "\(shared.count) of the \(set.verification.samples.count) images",
          "are images"))
    }
  }

  /// Warnings about what was found since the last time. Every rank calls it and gets the same.
  func news() throws -> [String] {
    guard let images else { return [] }
    let mine = images.news().filter { !told.contains($0.sample) }.flatMap { [$0.sample, $0.group] }
    let all = try communicator.allGather(encoding: mine)
    var found = [[Int]](repeating: [], count: sets.count)
    for numbers in all {
      for place in stride(from: 0, to: numbers.count, by: 2) where told.insert(numbers[place]).inserted {
        found[numbers[place + 1]].append(numbers[place])
      }
    }
    return zip(sets, found).compactMap { set, samples in
      samples.isEmpty
        ? nil
        : set.warning(
          samples.sorted().map(training.identifier), samples.count.counted("image"), "are the same bytes as images")
    }
  }
}

extension ValidationSet {
  /// Of the bytes of its images; those that cannot be read have none.
  fileprivate func keys(_ communicator: Communicator) throws -> [KnownImages.Key] {
    let own = Share.range(of: verification.samples.count, communicator.rank, communicator.size)
    let scratch = ByteBuffer()
    let mine = verification.samples[own].compactMap { sample in
      Heartbeat.beat()
      return try? verification.source.withEncodedImage(of: sample, scratch: scratch) {
        Int64(bitPattern: KnownImages.key(of: $0))
      }
    }
    let all = try communicator.allGather(mine, counts: communicator.allGather(mine.count))
    return all.map { KnownImages.Key(bitPattern: $0) }
  }

  /// People are compared by name where both sets have names.
  fileprivate func sharedPeople(with training: any ImageSource) -> [String] {
    let images = verification.source
    guard verification.knowsPeople, images.namesPeople, training.namesPeople else { return [] }
    let known = Set(training.classNames)
    let shared = images.classNames.filter(known.contains)
    guard !shared.isEmpty else { return [] }
    return [
      warning(shared.map(\.text), "\(shared.count) of the \(images.classNames.count) people", "have names of people")
    ]
  }

  /// Samples of the training. A .bin has no paths.
  fileprivate func sharedPaths(with training: any ImageSource) -> [Int] {
    ImagePaths(verification.source, verification.samples).shared(with: training)
  }

  fileprivate func warning(_ names: [String], _ who: String, _ what: String) -> String {
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

  /// The samples of `other` that are among these.
  func shared(with other: any ImageSource) -> [Int] {
    guard !names.isEmpty else { return [] }
    var folders: [Name: String] = [:]
    return (0..<other.count).filter { sample in
      let (folder, name) = FilePath.split(other.path(of: sample))
      return names.contains(Name(name)) && paths.contains(Self.path(folder, name, &folders))
    }
  }

  private static func path(_ folder: String, _ name: String, _ folders: inout [Name: String]) -> Name {
    let resolved = folders[Name(folder)] ?? FilePath.resolved(folder)
    folders[Name(folder)] = resolved
    return Name("\(resolved)/\(name)")
  }
}
