package import Files

/// Some of a source's images, numbered without gaps, under people who are numbered without gaps, too.
package struct ImageSubset: ImageSource {
  package let classNames: [Name]
  private let base: any ImageSource
  /// Sample numbers of the base, ascending, and who is on them.
  private let samples: [Int32]
  private let labels: [Int32]

  /// - Parameters:
  ///   - label: of each image of the base, a place in `people`; -1 leaves it out.
  ///   - people: those on whom no image is left are left out.
  package init(of base: any ImageSource, people: [Name], label: (_ sample: Int) -> Int32) {
    let given = (0..<base.count).map(label)
    var isPresent = [Bool](repeating: false, count: people.count)
    for person in given where person >= 0 { isPresent[Int(person)] = true }
    var numbers = [Int32](repeating: -1, count: people.count)
    var names: [Name] = []
    for (person, name) in people.enumerated() where isPresent[person] {
      numbers[person] = Int32(names.count)
      names.append(name)
    }
    self.base = base
    classNames = names
    samples = given.indices.filter { given[$0] >= 0 }.map(Int32.init)
    labels = samples.map { numbers[Int(given[Int($0)])] }
  }

  /// The images of some people, in the order of `classes`.
  init(of base: any ImageSource, classes: [Int]) {
    var places = [Int32](repeating: -1, count: base.classNames.count)
    for (place, original) in classes.enumerated() {
      precondition(places[original] < 0, "Class \(original) was given twice")
      places[original] = Int32(place)
    }
    self.init(of: base, people: classes.map { base.classNames[$0] }) { places[base.label(of: $0)] }
  }

  /// Some images, of the people who are on them.
  init(of base: any ImageSource, samples: [Int32]) {
    var isTaken = [Bool](repeating: false, count: base.count)
    for sample in samples { isTaken[Int(sample)] = true }
    self.init(of: base, people: base.classNames) { isTaken[$0] ? Int32(base.label(of: $0)) : -1 }
  }

  package var location: String { base.location }
  package var count: Int { samples.count }
  package var namesPeople: Bool { base.namesPeople }
  package var notes: [String] { base.notes }

  package func label(of sample: Int) -> Int { Int(labels[sample]) }
  package func identifier(of sample: Int) -> String { base.identifier(of: Int(samples[sample])) }
  package func path(of sample: Int) -> String { base.path(of: Int(samples[sample])) }
  package func encodedSize(of sample: Int) throws -> Int { try base.encodedSize(of: Int(samples[sample])) }

  package func withEncodedImage<Result>(
    of sample: Int, scratch: ByteBuffer, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    try base.withEncodedImage(of: Int(samples[sample]), scratch: scratch, body)
  }
}
