package import Datasets
import Foundation
import Inference
package import MPI

/// Ranks share the images that are to be embedded.
extension Communicator: EmbeddingGroup {
  package func gather(_ values: [Float], counts: [Int]) throws -> [Float] { try allGather(values, counts: counts) }

  package func join(_ own: [BadImage]) throws -> [BadImage] {
    let lists = try allGather(bytes: Array(JSONEncoder().encode(own)))
    var known: [Int: BadImage] = [:]
    for list in lists {
      for image in try JSONDecoder().decode([BadImage].self, from: Data(list)) { known[image.sample] = image }
    }
    return known.values.sorted { $0.sample < $1.sample }
  }
}
