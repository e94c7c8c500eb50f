import Datasets
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
    let news = Array(own[reported...])
    reported = own.count
    let added = try communicator.allGather(encoding: news).joined().filter {
      known.updateValue($0, forKey: $0.sample) == nil
    }
    guard known.count <= limit else {
      throw TrainingError.tooManyBadImages(
        count: known.count, limit: limit, images: known.values.sorted { $0.sample < $1.sample })
    }
    return added
  }
}
