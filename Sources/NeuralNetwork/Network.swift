import VectorKernels

/// A backbone: images in, embeddings out. Owns the parameters and the memory of its passes.
package final class Network {
  package let name: String
  /// Values, gradients and optimizer's states, in the order in which backward finishes them.
  package let parameters: ParameterStore
  /// Running means and variances: those that training moves, then those of frozen layers.
  package let statistics: ParameterStore
  /// Floats of the statistics that training moves.
  package let movingStatisticsCount: Int
  /// Parameters and statistics in the order of arcface_torch's state dict.
  package let stateNames: [String]
  package let inputShape: Shape
  package let embeddingWidth: Int
  package let random = SampleKeys()
  /// Whether training passes make again what batch normalizations made, instead of keeping it: the same bits for less
  /// memory and some time.
  package let recomputes: Bool

  let graph: Graph
  let foldedGraph: Graph
  private let trainingGraph: Graph
  private lazy var fixedGraph = graph.fixed().foldedWhereFixed()
  private let weights = WeightVersion()
  /// Of layers that are frozen.
  private let fixedWeights = WeightVersion()
  private let scratch = Scratch()
  private var memory = AlignedMemory(count: 0)
  private var passes: [Key: Pass] = [:]

  private struct Key: Hashable {
    let batch: Int
    let mode: Mode
    let isFixed: Bool
    let threads: Int
  }

  /// - Parameter frozen: names of parameters that stay as they are: see `Graph.freezing`.
  package init(_ name: String, _ graph: Graph, recomputes: Bool = false, frozen: Set<String> = []) {
    let graph = graph.freezing(frozen)
    self.name = name
    self.recomputes = recomputes
    self.graph = graph
    foldedGraph = graph.folded()
    trainingGraph = graph.foldedWhereFixed()
    let layers = graph.nodes.map(\.layer)
    parameters = ParameterStore(layers.reversed().flatMap(\.parameters))
    let moving = layers.filter(\.movesStatistics).flatMap(\.statistics)
    movingStatisticsCount = ParameterStore.layout(moving).count
    statistics = ParameterStore(
      moving + layers.filter { !$0.movesStatistics }.flatMap(\.statistics), gradients: false)
    stateNames = layers.flatMap { ($0.parameters + $0.statistics).map(\.name) }
    precondition(Set(stateNames).count == stateNames.count, "\(name) has two parameters of one name")
    inputShape = graph.shape(of: graph.input)
    embeddingWidth = graph.shape(of: graph.output).count
  }

  /// Layers in forward order.
  package var layers: [any Layer] { graph.nodes.map(\.layer) }

  /// Whether all of it is frozen.
  package var isFixed: Bool { trainingGraph.isFixed }

  /// Fills every parameter and running statistic by its initializer: the same for a seed, whatever the threads.
  package func initialize(seed: UInt64) {
    for parameter in parameters.parameters + statistics.parameters {
      parameter.initializer.fill(parameter.value, seed: seed, name: parameter.name)
    }
    weightsChanged()
  }

  /// Makes memory for the largest batches that will come, so that no later pass allocates.
  package func reserve(training: Int, evaluation: Int = 0) {
    var bytes = 0
    for (batch, mode) in [(training, Mode.training), (evaluation, .evaluation)] where batch > 0 {
      bytes = max(
        bytes, Self.activationBytes(graph(mode, isFixed: false), batch: batch, mode, recomputes: recomputes))
    }
    grow(to: bytes)
  }

  /// The pass of a batch size, made at its first use. All passes share one memory: one runs at a time.
  package func pass(batch: Int, _ mode: Mode) -> Pass { pass(batch: batch, mode, isFixed: false) }

  /// The pass of a step that trains nothing of the network: as in inference, by the means of training. It has no backward.
  package func fixedPass(batch: Int) -> Pass { pass(batch: batch, .training, isFixed: !isFixed) }

  /// - Parameter isFixed: whatever is frozen, nothing is trained.
  private func pass(batch: Int, _ mode: Mode, isFixed: Bool) -> Pass {
    precondition(batch > 0, "A pass over \(batch) samples")
    let key = Key(batch: batch, mode: mode, isFixed: isFixed, threads: Parallel.threads)
    if let pass = passes[key] { return pass }
    let pass = makePass(batch: batch, mode, isFixed: isFixed)
    passes[key] = pass
    return pass
  }

  /// To be called by whoever writes weights or statistics other than by training passes and the update that follows
  /// them: evaluation passes hold folded copies, which are made again at their next use.
  package func weightsChanged() {
    weights.number += 1
    fixedWeights.number += 1
  }

  private func graph(_ mode: Mode, isFixed: Bool) -> Graph {
    switch mode {
    case .training: isFixed ? fixedGraph : trainingGraph
    case .evaluation: foldedGraph
    }
  }

  /// Layer after layer over the whole batch, nothing folded: what `pass` is compared with. Shares the memory of the
  /// passes: one of them runs at a time.
  ///
  /// - Parameter convolvesDirectly: by oneDNN's primitives where `pass` has faster means.
  package func plainPass(batch: Int, _ mode: Mode, convolvesDirectly: Bool = false) -> Pass {
    makePass(batch: batch, mode, isPlain: true, convolvesDirectly: convolvesDirectly)
  }

  /// For measurements. Shares the memory of the passes: one of them runs at a time.
  package func convolutionsAlone(batch: Int, _ mode: Mode) -> ConvolutionsAlone {
    ConvolutionsAlone(plainPass(batch: batch, mode, convolvesDirectly: true))
  }

  private func makePass(
    batch: Int, _ mode: Mode, isFixed: Bool = false, isPlain: Bool = false, convolvesDirectly: Bool = false
  ) -> Pass {
    let graph = isPlain ? self.graph : graph(mode, isFixed: isFixed)
    let pieces = PieceSchedule(
      graph, mode: mode, batch: batch, threads: Parallel.threads, recomputes: recomputes && !isPlain,
      isPiecewise: !isPlain)
    let layout = GraphMemory(graph, pieces)
    let (offsets, bytes) = layout.plan.place()
    grow(to: bytes)
    return Pass(
      graph, pieces, layout, offsets: offsets, memory: memory, mode: mode, scratch: scratch, random: random,
      weights: weights, fixedWeights: isFixed ? weights : fixedWeights, convolvesDirectly: convolvesDirectly)
  }

  /// Bytes of activations and their gradients.
  static func activationBytes(
    _ graph: Graph, batch: Int, _ mode: Mode, recomputes: Bool = false, threads: Int = Parallel.threads
  ) -> Int {
    let pieces = PieceSchedule(graph, mode: mode, batch: batch, threads: threads, recomputes: recomputes)
    return GraphMemory(graph, pieces).plan.place().bytes
  }

  /// Bytes that an evaluation pass of a batch size will keep, for plans: nothing is allocated.
  package func evaluationBytes(batch: Int) -> Int {
    Self.activationBytes(foldedGraph, batch: batch, .evaluation)
  }

  /// Bytes of activations, their gradients, and scratch.
  package var passBytes: Int { memory.bytes + scratch.bytes }

  private func grow(to bytes: Int) {
    guard memory.bytes < bytes else { return }
    // Passes point into the old memory, so they are made again.
    passes.removeAll()
    memory = AlignedMemory(bytes: bytes)
  }
}
