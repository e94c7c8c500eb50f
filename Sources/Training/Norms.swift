import MPI

/// How many norms there are, their mean, and whether they are all one.
struct Norms {
  private(set) var count = 0
  private var sum = 0.0
  private var least = Double.infinity
  private var greatest = 0.0

  var mean: Double { sum / Double(count) }

  /// A projection gives rows one norm up to the rounding of its Floats, some 1e-7; a step's update moves them further.
  var isShared: Bool { greatest - least <= 1e-5 * mean }

  mutating func add(_ norm: Double) {
    count += 1
    sum += norm
    least = min(least, norm)
    greatest = max(greatest, norm)
  }

  /// Those of all ranks together; every rank calls it.
  func joined(_ communicator: Communicator) throws -> Norms {
    var all = self
    all.count = try communicator.allReduce(count)
    all.sum = try communicator.orderedSum(sum)
    all.least = try communicator.allReduce(least, .min)
    all.greatest = try communicator.allReduce(greatest, .max)
    return all
  }
}
