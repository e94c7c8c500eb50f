/// How a batch goes through the chains of a `Schedule`, and what follows for memory: which values pass, a piece of them
/// at a time, from the layer that makes them to the layer that reads them, and are never written to memory as a whole.
///
/// For each value between a normalization and a convolution that leaves, of the passes over memory:
///
///     forward     x written, x read to make y; y stays in the cache
///     backward    dy written while x is read for the sums; dy and x read to make dx, which stays in the cache, as does
///                 y, made again from x for the weight's gradient
struct PieceSchedule {
  let schedule: Schedule
  let batch: Int
  /// The pieces of each forward and each backward chain.
  let forward: [Pieces]
  let backward: [Pieces]
  /// Nodes that add to their parameters' gradients piece by piece.
  private(set) var sumsGradientInPieces: Set<Int> = []
  /// Values that nobody writes: their one reader takes what they are made of, and the map that makes them.
  private(set) var mappedValues: Set<Int> = []
  /// Values that are made again in backward instead of being kept.
  private(set) var remadeValues: Set<Int> = []
  /// Those of them that pass in pieces.
  private(set) var passingValues: Set<Int> = []
  /// Values whose gradient passes in pieces.
  private(set) var passingGradients: Set<Int> = []

  private let graph: Graph
  private let threads: Int

  /// - Parameters:
  ///   - recomputes: makes all values again that can be, and not only those that pass in pieces.
  ///   - isPiecewise: false runs layer after layer over the whole batch.
  init(
    _ graph: Graph, mode: Mode, batch: Int, threads: Int, recomputes: Bool = false, isPiecewise: Bool = true
  ) {
    let schedule = Schedule(graph, mode: mode)
    func pieces(_ chain: [Int]) -> Pieces {
      guard isPiecewise, graph.nodes[chain[0]].layer.traits.contains(.imagewise),
        graph.shapes[chain[0] + 1].layout == .blocked
      else { return Pieces(wholeBatch: batch) }
      let values = Set(chain.map { $0 + 1 } + chain.flatMap { graph.nodes[$0].inputs })
      let least = chain.map { graph.nodes[$0].layer.leastImages(of: graph.shapes[graph.nodes[$0].inputs[0]]) }.max()!
      return Pieces(
        batch: batch, threads: threads, bytesPerImage: values.reduce(0) { $0 + graph.shapes[$1].bytes }, least: least)
    }
    self.graph = graph
    self.schedule = schedule
    self.batch = batch
    self.threads = threads
    forward = schedule.forward.map(pieces)
    backward = mode == .training ? schedule.backward.map(pieces) : []
    guard mode == .training else { return }
    if isPiecewise { mappedValues = Set(graph.shapes.indices.filter(isMapped)) }
    sumsGradientInPieces = Set(
      graph.nodes.indices.filter { schedule.trains[$0] }.filter { node in
        let pieces = backward[schedule.backwardChain[node]]
        guard !pieces.isWhole else { return false }
        return graph.nodes[node].layer.sumsGradientInPieces(
          of: graph.shapes[graph.nodes[node].inputs[0]], images: pieces.largest)
      })
    let remakeable = graph.shapes.indices.filter { canBeRemade($0) && !mappedValues.contains($0) }
    passingValues = Set(remakeable.filter(passes))
    remadeValues = recomputes ? Set(remakeable) : passingValues
    passingGradients = Set(graph.shapes.indices.filter(gradientPasses))
  }

  /// Images of a value, and of its gradient, that there is place for: per thread where they pass in pieces.
  func capacity(ofValue value: Int) -> Int? {
    guard passingValues.contains(value) else { return nil }
    return max(
      forward[schedule.forwardChain[value - 1]].largest,
      readers(of: value).map { backward[schedule.backwardChain[$0]].largest }.max()!)
  }

  func capacity(ofGradient value: Int) -> Int? {
    guard passingGradients.contains(value) else { return nil }
    return backward[schedule.backwardChain[value - 1]].largest
  }

  /// Bytes of a value or gradient of that capacity.
  func bytes(_ value: Int, capacity: Int?) -> Int {
    (capacity.map { threads * $0 } ?? batch) * graph.shapes[value].bytes
  }

  /// What a layer makes of its input value by value needs no memory where that input is kept for backward anyway and the
  /// one reader makes it while it reads.
  private func isMapped(_ value: Int) -> Bool {
    let readers = readers(of: value)
    guard value > 0, schedule.trains[value - 1], readers.count == 1 else { return false }
    let (maker, reader) = (graph.nodes[value - 1].layer, graph.nodes[readers[0]].layer)
    return maker.traits.isSuperset(of: [.mapsChannels, .readsInput]) && reader.mapsInput(of: graph.shapes[value])
  }

  /// What a layer makes of its input, which is kept for its own backward, is cheap to make again where only the
  /// gradients of convolutions' weights need it.
  private func canBeRemade(_ value: Int) -> Bool {
    guard value > 0, schedule.trains[value - 1], graph.nodes[value - 1].layer.traits.contains(.remakesOutput),
      graph.shapes[value].layout == .blocked
    else { return false }
    let readers = backwardReaders(of: value)
    return !readers.isEmpty && readers.allSatisfy { graph.nodes[$0].layer.traits.contains(.hasBlockedWeight) }
  }

  /// Nodes whose backward reads the value.
  func backwardReaders(of value: Int) -> [Int] {
    graph.nodes.indices.filter {
      schedule.trains[$0] && graph.nodes[$0].inputs[0] == value
        && graph.nodes[$0].layer.traits.contains(.readsInput)
    }
  }

  private func readers(of value: Int) -> [Int] {
    graph.nodes.indices.filter { graph.nodes[$0].inputs.contains(value) }
  }

  private func passes(_ value: Int) -> Bool {
    let readers = readers(of: value)
    let forwardChains = Set(readers.map { schedule.forwardChain[$0] } + [schedule.forwardChain[value - 1]])
    let backwardChains = Set(readers.map { schedule.backwardChain[$0] })
    return readers.allSatisfy(sumsGradientInPieces.contains)
      && forwardChains.count == 1 && !forward[forwardChains.first!].isWhole
      && backwardChains.count == 1 && !backward[backwardChains.first!].isWhole
  }

  /// One layer makes the gradient, and the one that takes it hands it to nobody and has done with each piece.
  private func gradientPasses(_ value: Int) -> Bool {
    let readers = readers(of: value)
    guard value > 0, schedule.trains[value - 1], graph.shapes[value].layout == .blocked, readers.count == 1 else {
      return false
    }
    let (maker, taker) = (readers[0], value - 1)
    let chain = schedule.backwardChain[taker]
    return graph.nodes[maker].inputs[0] == value && schedule.backwardChain[maker] == chain
      && !backward[chain].isWhole && graph.nodes[taker].inputs.count == 1
      && (!graph.nodes[taker].layer.traits.contains(.hasBlockedWeight) || sumsGradientInPieces.contains(taker))
  }
}
