package import Files
import VectorKernels

/// Where labelled images come from: a folder, a part of one, a record file.
///
/// Samples are numbered 0..<count in an order that every rank agrees on. Classes are people, numbered 0..<N without
/// gaps in the order of `classNames`.
package protocol ImageSource: Sendable {
  /// The folder or file that the user named.
  var location: String { get }
  var count: Int { get }
  var classNames: [Name] { get }
  /// Whether `classNames` say who people are; else they are numbers that mean something in this set alone.
  var namesPeople: Bool { get }
  /// What was taken for something that its user may not have meant, in sentences without a full stop.
  var notes: [String] { get }

  func label(of sample: Int) -> Int

  /// The path relative to `location`, for messages, lists and fingerprints.
  func identifier(of sample: Int) -> String

  /// Where the image is, as a person would look for it.
  func path(of sample: Int) -> String

  /// Bytes of the image file, without reading it.
  func encodedSize(of sample: Int) throws -> Int

  /// Calls `body` with the image file's bytes, which are valid only inside it; they lie in `scratch` or in the source.
  ///
  /// - Throws: `DataError` where the file cannot be read, and what `body` throws.
  func withEncodedImage<Result>(
    of sample: Int, scratch: ByteBuffer, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result
}

extension ImageSource {
  package var namesPeople: Bool { true }
  package var notes: [String] { [] }

  package func path(of sample: Int) -> String { "\(location)/\(identifier(of: sample))" }

  /// Refuses what no training can use: fewer than two people, fewer samples than ranks, labels that name nobody.
  ///
  /// - Parameter minimumPeople: 1 for a training that does not ask who is who.
  /// - Throws: `DataError`
  package func validateForTraining(rankCount: Int = 1, minimumPeople: Int = 2) throws {
    let classes = classNames.count
    guard classes >= minimumPeople else {
      throw DataError(
        location, "training needs at least 2 people and this has \(classes)",
        remedy: "In a folder, each person's images belong into a folder of their own: NAME/IMAGE.")
    }
    guard count >= rankCount else {
      throw DataError(
        location, "\(count) images cannot be divided among \(rankCount) ranks",
        remedy: "Start at most \(count) ranks.")
    }
    for sample in 0..<count where !(0..<classes).contains(label(of: sample)) {
      throw DataError(
        path(of: sample), "its label \(label(of: sample)) is outside 0..<\(classes)")
    }
  }

  /// The images of some classes only, labels dense again, in the order of `classes`' sorted numbers.
  package func subset(people classes: some Sequence<Int>) -> ImageSubset {
    ImageSubset(of: self, classes: classes.sorted())
  }

  /// Without the people who have fewer than `minimum` images, and with at most `maximum` of each, drawn by `seed`.
  ///
  /// - Throws: `DataError` where fewer than two people are left.
  package func limited(minimum: Int, maximum: Int?, seed: UInt64) throws -> ImageSubset {
    let index = ClassIndex(self)
    var samples: [Int32] = []
    for label in classNames.indices {
      let images = index.samples(of: label)
      guard images.count >= max(minimum, 1) else { continue }
      guard let maximum, images.count > maximum else {
        samples += images
        continue
      }
      var generator = CounterGenerator(seed: seed, purpose: .selection, label)
      samples += generator.permutation(images.count).prefix(maximum).map { images[images.startIndex + Int($0)] }
    }
    let subset = ImageSubset(of: self, samples: samples)
    guard subset.classNames.count >= 2 else {
      throw DataError(
        location, "\(subset.classNames.count) of \(classNames.count) people have \(minimum) images or more",
        remedy: "Training needs 2: lower --min-images-per-person.")
    }
    return subset
  }

  /// Takes `holdoutPeople` people, chosen by `seed`, out of the training data.
  ///
  /// - Throws: `DataError` where fewer than two people would be left to train on.
  package func split(holdoutPeople: Int, seed: UInt64) throws -> (training: ImageSubset, heldOut: ImageSubset) {
    precondition(holdoutPeople >= 0, "\(holdoutPeople) people to hold out")
    let classes = classNames.count
    guard classes - holdoutPeople >= 2 else {
      throw DataError(
        location, "holding out \(holdoutPeople) of \(classes) people leaves fewer than 2 to train on",
        remedy: "Hold out at most \(max(0, classes - 2)).")
    }
    var generator = CounterGenerator(seed: seed, purpose: .holdout)
    let order = generator.permutation(classes).map(Int.init)
    return (subset(people: order[holdoutPeople...]), subset(people: order[..<holdoutPeople]))
  }
}
