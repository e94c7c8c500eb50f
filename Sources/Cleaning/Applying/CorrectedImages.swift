package import Datasets
package import Files

/// A set under the people that corrections give: its images, without those that are left out.
package struct CorrectedImages: ImageSource {
  package let classNames: [Name]
  private let base: any ImageSource
  /// Sample numbers of the base, ascending, and who is on them.
  private let samples: [Int32]
  private let labels: [Int32]

  package init(_ corrections: Corrections, of base: any ImageSource) {
    self.base = base
    var present = [Bool](repeating: false, count: corrections.people.count)
    for label in corrections.labels where label >= 0 { present[Int(label)] = true }
    var numbers = [Int32](repeating: -1, count: present.count)
    var names: [Name] = []
    for (person, isPresent) in present.enumerated() where isPresent {
      numbers[person] = Int32(names.count)
      names.append(corrections.people[person])
    }
    classNames = names
    samples = corrections.labels.indices.filter { corrections.labels[$0] >= 0 }.map(Int32.init)
    labels = samples.map { numbers[Int(corrections.labels[Int($0)])] }
  }

  package var location: String { base.location }
  package var count: Int { samples.count }
  package var namesPeople: Bool { base.namesPeople }
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
