package import Datasets

/// Who shares the work of embedding images: this process alone, or ranks.
package protocol EmbeddingGroup {
  /// This process's number, from 0 to size - 1.
  var rank: Int { get }
  var size: Int { get }

  /// The values of all in the order of ranks; `counts` of each.
  func gather(_ values: [Float], counts: [Int]) throws -> [Float]

  /// The lists of all as one, each image once, in the order of the sample numbers.
  func join(_ own: [BadImage]) throws -> [BadImage]
}
