/// Who is searched for, among whom, and how.
package struct IdentificationOptions: Codable, Equatable, Sendable {
  /// A model file, or a run's folder.
  package var model: String
  /// A folder of people.
  package var probes: String
  /// A folder of people among whom the probes' are.
  package var gallery: String?
  /// A folder of other people.
  package var distractors: String?
  package var flip = FlipTest.sum
  /// Fraction of each folder's images that may be unreadable.
  package var maximumBadImages = 0.001
  package var batchSize = 32
  package var workers = 1

  package init(model: String, probes: String) {
    self.model = model
    self.probes = probes
  }
}
