package import Files

/// The images of some of a source's people, numbered and labelled without gaps.
package struct ImageSubset: ImageSource {
  private let base: any ImageSource
  /// Sample numbers of the base, ascending.
  private let samples: [Int32]
  /// The label here of each class of the base; -1 where it is left out.
  private let labels: [Int32]
  package let classNames: [Name]

  init(of base: any ImageSource, classes: [Int]) {
    self.base = base
    var labels = [Int32](repeating: -1, count: base.classNames.count)
    for (label, original) in classes.enumerated() {
      precondition(labels[original] < 0, "Class \(original) was given twice")
      labels[original] = Int32(label)
    }
    self.labels = labels
    classNames = classes.map { base.classNames[$0] }
    samples = (0..<base.count).lazy.filter { labels[base.label(of: $0)] >= 0 }.map(Int32.init)
  }

  /// Some images of some people; `samples` must be ascending. People of whom no image is left are left out.
  init(of base: any ImageSource, samples: [Int32]) {
    self.base = base
    self.samples = samples
    var isKept = [Bool](repeating: false, count: base.classNames.count)
    for sample in samples { isKept[base.label(of: Int(sample))] = true }
    let classes = isKept.indices.filter { isKept[$0] }
    var labels = [Int32](repeating: -1, count: isKept.count)
    for (label, original) in classes.enumerated() { labels[original] = Int32(label) }
    self.labels = labels
    classNames = classes.map { base.classNames[$0] }
  }

  package var location: String { base.location }
  package var count: Int { samples.count }
  package var namesPeople: Bool { base.namesPeople }
  package var notes: [String] { base.notes }

  package func label(of sample: Int) -> Int { Int(labels[base.label(of: Int(samples[sample]))]) }
  package func identifier(of sample: Int) -> String { base.identifier(of: Int(samples[sample])) }
  package func path(of sample: Int) -> String { base.path(of: Int(samples[sample])) }
  package func encodedSize(of sample: Int) throws -> Int { try base.encodedSize(of: Int(samples[sample])) }

  package func withEncodedImage<Result>(
    of sample: Int, scratch: ByteBuffer, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    try base.withEncodedImage(of: Int(samples[sample]), scratch: scratch, body)
  }
}
