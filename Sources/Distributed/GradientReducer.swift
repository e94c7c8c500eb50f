import Files
package import MPI
package import NeuralNetwork

/// Sums gradients over the ranks while the backward pass still runs.
///
/// A network's gradients lie in the order in which backward finishes them, so a bucket is a plain range of memory. It is
/// sent once enough layers have finished, and every later call moves it on: Open MPI works on messages only inside MPI
/// calls. `whenSummed` can use a sum at once, to update weights while the rest travels.
/// All ranks must finish the same layers in the same order.
///
/// Buckets are sent in order, at most `window` at a time: two or three fill a link, and more would share it and all arrive
/// late. With one rank there is nothing to sum, and nothing happens.
package final class GradientReducer {
  /// What a bucket is part of.
  package enum Part: Int, CaseIterable, Sendable {
    case network, classWeight, statistics, teacherMap

    package var message: StepMessages.Name {
      switch self {
      case .network: .network
      case .classWeight: .classWeight
      case .statistics: .statistics
      case .teacherMap: .teacherMap
      }
    }
  }

  /// Bytes that this rank has sent in all, by `Part`.
  package private(set) var sentBytes = Part.allCases.map { _ in 0 }
  /// Hears of departures and arrivals.
  package var trace: TraceRecorder?
  /// Called for ranges of the network's store, in order, as soon as they are summed: on this thread, in a later call of
  /// any method. Not with one rank.
  package var whenSummed: ((Range<Int>) -> Void)?

  private let communicator: Communicator
  private let store: ParameterStore
  private let buckets: GradientBuckets
  /// End of each layer's gradients within the store.
  private let ends: [ObjectIdentifier: Int]
  /// Floats of the store: those of finished layers, and those already in a bucket.
  private var finished = 0
  private var started = 0

  /// Buckets of this step in order; how many were sent, and how many have arrived with all before them.
  private var flights: [Flight] = []
  private var departed = 0
  private var landed = 0
  private var idle: [SumExchange]
  private var driven = ContinuousClock.now
  /// Counts buckets over all steps; the same on all ranks.
  private var number = 0

  private struct Flight {
    let range: UnsafeMutableBufferPointer<Float>
    let part: Part
    let number: Int
    let whenSummed: (() -> Void)?
    var exchange: SumExchange?
    var isSummed = false
  }

  private static let window = 4
  /// Pairs of tags before they repeat: far more than `window`.
  private static let tags = 1 << 12

  package init(
    _ network: Network, _ communicator: Communicator, bucketBytes: Int, type: GradientType = .float32
  ) {
    self.communicator = communicator
    buckets = GradientBuckets(bytes: bucketBytes, type: type, maximumCount: communicator.maximumCount)
    store = network.parameters
    var ends: [ObjectIdentifier: Int] = [:]
    var end = 0
    let line = ParameterStore.alignment
    for layer in network.layers.reversed() {
      for parameter in layer.parameters where parameter.isTrained { end += (parameter.count + line - 1) / line * line }
      ends[ObjectIdentifier(layer)] = end
    }
    precondition(end == store.trainedCount, "Layers' gradients end at \(end) of \(store.trainedCount)")
    self.ends = ends
    idle = communicator.size > 1 ? (0..<Self.window).map { _ in SumExchange(communicator) } : []
  }

  /// Bytes of the buffers for messages, once every kind of bucket has been sent.
  package var bytes: Int { (idle + flights.compactMap(\.exchange)).reduce(0) { $0 + $1.bytes } }

  /// The gradients of `layer` are complete on this rank; a full bucket departs here.
  package func add(_ layer: any Layer) throws(MPIError) {
    guard communicator.size > 1, let end = ends[ObjectIdentifier(layer)] else { return }
    finished = max(finished, end)
    while finished - started >= buckets.count { startBucket(buckets.count) }
    try drive()
  }

  /// Starts summing any other gradients; `whenSummed` is called on this thread, in a later call of any method.
  package func start(
    _ gradients: UnsafeMutableBufferPointer<Float>, _ part: Part, whenSummed: (() -> Void)? = nil
  ) throws(MPIError) {
    guard communicator.size > 1 else {
      whenSummed?()
      return
    }
    guard gradients.count > 0 else {
      append(gradients, part, whenSummed)
      return try drive()
    }
    for piece in buckets.pieces(of: gradients.count) {
      let isLast = piece.upperBound == gradients.count
      append(.init(rebasing: gradients[piece]), part, isLast ? whenSummed : nil)
    }
    try drive()
  }

  /// Moves messages on. To be called as often as possible, but not inside a parallel region.
  ///
  /// A call only looks at the clock, and every half millisecond takes some microseconds: in that time a link of 10 Gbit/s
  /// carries less than the system's own buffers hold.
  package func poll() throws(MPIError) {
    guard landed < flights.count, ContinuousClock.now - driven >= .microseconds(500) else { return }
    try drive()
  }

  private func drive() throws(MPIError) {
    guard landed < flights.count else { return }
    driven = .now
    for index in landed..<departed { try advance(index) }
    while departed < flights.count, let exchange = idle.popLast() { try depart(exchange) }
    land()
  }

  /// Waits until all gradients are summed and all of `whenSummed` was called; the next step may begin.
  package func finish() throws(MPIError) {
    if finished > started { startBucket(finished - started) }
    try drive()
    while landed < flights.count {
      // Waits for the oldest. Messages of the others move on meanwhile; their next stage begins in the next call.
      try flights[landed].exchange?.wait()
      try drive()
    }
    flights.removeAll(keepingCapacity: true)
    (finished, started, departed, landed) = (0, 0, 0, 0)
  }

  /// Gives up what is under way: after an error on this rank, before MPI aborts.
  package func abandon() {
    for flight in flights { flight.exchange?.abandon() }
    flights.removeAll()
  }

  deinit { abandon() }

  private func startBucket(_ count: Int) {
    let range = started..<(started + count)
    started += count
    append(.init(rebasing: store.gradients[range]), .network, whenSummed.map { body in { body(range) } })
  }

  private func append(_ range: UnsafeMutableBufferPointer<Float>, _ part: Part, _ whenSummed: (() -> Void)?) {
    flights.append(Flight(range: range, part: part, number: number, whenSummed: whenSummed))
    number += 1
  }

  private func depart(_ exchange: SumExchange) throws(MPIError) {
    let flight = flights[departed]
    flights[departed].exchange = exchange
    departed += 1
    trace?.departs(flight.part, number: flight.number, bytes: bytesSent(flight))
    let before = exchange.sentBytes
    try exchange.begin(
      flight.range, as: wireType(flight.part), tag: Self.firstTag + flight.number % Self.tags * 2)
    sentBytes[flight.part.rawValue] += exchange.sentBytes - before
  }

  private func advance(_ index: Int) throws(MPIError) {
    guard let exchange = flights[index].exchange else { return }
    let before = exchange.sentBytes
    let isSummed = try exchange.advance()
    sentBytes[flights[index].part.rawValue] += exchange.sentBytes - before
    guard isSummed else { return }
    flights[index].isSummed = true
    flights[index].exchange = nil
    idle.append(exchange)
    trace?.arrives(flights[index].part, number: flights[index].number)
  }

  /// Calls `whenSummed` in the order of the starts, so that updates happen in the same order on every rank.
  private func land() {
    while landed < departed, flights[landed].isSummed {
      if let use = flights[landed].whenSummed { trace.span(.update, use) }
      landed += 1
    }
  }

  private func wireType(_ part: Part) -> GradientType { part == .statistics ? .float32 : buckets.type }

  /// By the formula. `sentBytes` counts what was really sent.
  private func bytesSent(_ flight: Flight) -> Int {
    GradientBuckets.bytesSent(flight.range.count, ranks: communicator.size, wireType(flight.part))
  }

  private static let firstTag = 1
}
