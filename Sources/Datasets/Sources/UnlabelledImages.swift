package import Files

/// Images of whom nobody knows or asks who is on them: one class, whatever people the set tells apart.
package struct UnlabelledImages: ImageSource {
  private let base: any ImageSource

  package init(of base: any ImageSource) { self.base = base }

  package var location: String { base.location }
  package var count: Int { base.count }
  package var classNames: [Name] { ["images"] }
  package var namesPeople: Bool { false }
  package var notes: [String] { base.notes }

  package func label(of sample: Int) -> Int { 0 }
  package func identifier(of sample: Int) -> String { base.identifier(of: sample) }
  package func path(of sample: Int) -> String { base.path(of: sample) }
  package func encodedSize(of sample: Int) throws -> Int { try base.encodedSize(of: sample) }

  package func withEncodedImage<Result>(
    of sample: Int, scratch: ByteBuffer, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    try base.withEncodedImage(of: sample, scratch: scratch, body)
  }
}
