/// What one step trained on: a line of `RUN/samples.jsonl`.
package struct SampleLine: StepLine, Equatable, Sendable {
  package let step: Int
  package let epoch: Int
  /// Paths relative to the data, in the order of the ranks, each rank's in its batch's.
  package let images: [String]
  /// How many of them each rank had.
  package let counts: [Int]
}
