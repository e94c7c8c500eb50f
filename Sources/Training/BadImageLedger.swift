import Datasets
import Foundation
import MPI

/// Images that could not be read, over all ranks, each once.
final class BadImageLedger {
  let limit: Int
  private let communicator: Communicator
  private var known: [Int: BadImage] = [:]
  private var reported = 0

  var count: Int { known.count }

  /// - Parameters:
  ///   - limit: how many may be bad before training ends.
  ///   - known: what every rank knows already.
  init(limit: Int, known: [BadImage], communicator: Communicator) {
    self.limit = limit
    for image in known { self.known[image.sample] = image }
    self.communicator = communicator
  }

  /// Whether this rank has images that the others have not heard of.
  func hasNews(_ own: [BadImage]) -> Bool { own.count > reported }

  /// Joins the ranks' lists; every rank calls it, with its own list so far. Returns the images new to all.
  ///
  /// - Throws: the same `TrainingError` on every rank once there are too many.
  func join(_ own: [BadImage]) throws -> [BadImage] {
    let news = own[reported...].map { Entry(sample: $0.sample, identifier: $0.identifier, reason: $0.reason) }
    reported = own.count
    let all = try communicator.allGather(bytes: Array(JSONEncoder().encode(news)))
    var added: [BadImage] = []
    for entry in try all.flatMap({ try JSONDecoder().decode([Entry].self, from: Data($0)) }) {
      let image = BadImage(sample: entry.sample, identifier: entry.identifier, reason: entry.reason)
      if known.updateValue(image, forKey: image.sample) == nil { added.append(image) }
    }
    guard known.count <= limit else {
      throw TrainingError.tooManyBadImages(
        count: known.count, limit: limit, images: known.values.sorted { $0.sample < $1.sample })
    }
    return added
  }

  private struct Entry: Codable {
    let sample: Int
    let identifier: String
    let reason: String
  }
}
