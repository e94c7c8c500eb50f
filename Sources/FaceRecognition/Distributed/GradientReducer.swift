package import MPI
package import NeuralNetwork

/// Sums gradients over the ranks while the backward pass still runs.
///
/// A network's gradients lie in the order in which backward finishes them, so a bucket is a plain range of memory: once
/// enough layers have finished, its allreduce starts, and every later call drives it on (Open MPI works on a collective
/// only inside MPI calls). All ranks must finish the same layers in the same order.
///
/// With one rank there is nothing to sum, and nothing happens.
package final class GradientReducer {
  private let communicator: Communicator
  private let store: ParameterStore
  /// Floats of a bucket.
  private let bucketCount: Int
  /// End of each layer's gradients within the store.
  private let ends: [ObjectIdentifier: Int]
  /// Floats of the store whose layers have finished, and whose allreduce has started.
  private var finished = 0
  private var started = 0
  private var flights: [Flight] = []

  /// An allreduce under way, and what waits for its sum.
  private final class Flight {
    var request: Request?
    let whenSummed: (() -> Void)?

    init(_ request: consuming Request, _ whenSummed: (() -> Void)?) {
      self.request = consume request
      self.whenSummed = whenSummed
    }

    func wait() throws(MPIError) {
      if let request = request.take() { try request.wait() }
    }
  }

  package init(_ network: Network, _ communicator: Communicator, bucketBytes: Int) {
    precondition(bucketBytes > 0, "Buckets of \(bucketBytes) bytes")
    self.communicator = communicator
    store = network.parameters
    bucketCount = max(bucketBytes / MemoryLayout<Float>.stride, 1)
    var ends: [ObjectIdentifier: Int] = [:]
    var end = 0
    let line = ParameterStore.alignment
    for layer in network.layers.reversed() {
      for parameter in layer.parameters where parameter.isTrained { end += (parameter.count + line - 1) / line * line }
      ends[ObjectIdentifier(layer)] = end
    }
    precondition(end == store.trainedCount, "Layers' gradients end at \(end) of \(store.trainedCount)")
    self.ends = ends
  }

  /// The gradients of `layer` are complete on this rank; a full bucket starts its allreduce here.
  package func add(_ layer: any Layer) throws(MPIError) {
    guard communicator.size > 1, let end = ends[ObjectIdentifier(layer)] else { return }
    finished = max(finished, end)
    if finished - started >= bucketCount { try startBucket() }
    try poll()
  }

  /// Starts summing any other gradients; `whenSummed` is called on this thread, in a later `add`, `poll` or `finish`.
  package func start(
    _ gradients: UnsafeMutableBufferPointer<Float>, whenSummed: (() -> Void)? = nil
  ) throws(MPIError) {
    guard communicator.size > 1 else {
      whenSummed?()
      return
    }
    flights.append(Flight(try communicator.startAllReduce(gradients), whenSummed))
    try poll()
  }

  /// Drives what is under way.
  package func poll() throws(MPIError) {
    for flight in flights where try flight.request?.test() == true { try flight.wait() }
    try land()
  }

  /// Waits until all gradients are summed and all of `whenSummed` was called; the next step may begin.
  package func finish() throws(MPIError) {
    if finished > started { try startBucket() }
    for flight in flights { try flight.wait() }
    try land()
    (finished, started) = (0, 0)
  }

  /// Gives up what is under way: after an error on this rank, before MPI aborts.
  package func abandon() {
    for flight in flights {
      if let request = flight.request.take() { request.abandon() }
    }
    flights.removeAll()
  }

  deinit { abandon() }

  private func startBucket() throws(MPIError) {
    let bucket = UnsafeMutableBufferPointer(rebasing: store.gradients[started..<finished])
    started = finished
    flights.append(Flight(try communicator.startAllReduce(bucket), nil))
  }

  /// Calls `whenSummed` in the order of the starts, so that updates happen in the same order on every rank.
  private func land() throws(MPIError) {
    while let flight = flights.first, flight.request == nil {
      flights.removeFirst()
      flight.whenSummed?()
    }
  }
}
