package import Datasets
import Inference
package import MPI

/// Ranks share the images that are to be embedded.
extension Communicator: EmbeddingGroup {
  package func gather(_ values: [Float], counts: [Int]) throws -> [Float] { try allGather(values, counts: counts) }

  package func join(_ own: [BadImage]) throws -> [BadImage] {
    var known: [Int: BadImage] = [:]
    for image in try allGather(encoding: own).joined() { known[image.sample] = image }
    return known.values.sorted { $0.sample < $1.sample }
  }
}
