import VectorKernels

/// A network bound to one batch size and number of threads: every primitive made, every value and gradient in its place.
package final class Pass {
  package let mode: Mode
  package let batch: Int
  /// The images, M x 3 x S x S, to be filled before `forward`.
  package let input: Tensor
  /// The embeddings, M x K, valid until `backward` or the next pass of the network.
  package let output: Tensor

  /// Hears of every chain of layers; nil costs nothing.
  package var observer: (any PassObserver)?
  /// Sums up the time of each layer; nil costs a comparison a call of a layer.
  package var clock: LayerClock?
  /// What each layer computes, in the order of the network.
  package let works: [LayerWork]

  let steps: [Step]
  let forwardChains: [Chain]
  let backwardChains: [Chain]
  private let gradient: Tensor?
  private let weights: WeightVersion
  /// Kept for those who still hold this pass when the network has moved to a larger memory.
  private let memory: AlignedMemory
  /// Steps that observe the input as it is given.
  private let inputObservers: [Int]

  struct Step {
    let layer: any Layer
    let operation: any Operation
    let output: Tensor
    /// False where the one reader makes it by itself.
    let writesOutput: Bool
    /// Steps that observe the output.
    let observers: [Int]
    /// Values whose gradients have all contributions after this step's backward.
    let arrivals: [Arrival]
  }

  struct Arrival {
    /// The step that made the value.
    let producer: Int
    /// Contributions that the producer does not add by itself.
    let sums: [(into: Tensor, from: Tensor)]
  }

  struct Chain {
    let steps: [Int]
    let pieces: Pieces
    /// Steps whose output was not kept and is made again in a backward chain.
    let remade: [Int]
    /// Steps that sum their parameters' gradients piece by piece.
    let summing: [Int]
  }

  /// `memory` holds at least `GraphMemory.plan.place().bytes`.
  ///
  /// - Parameters:
  ///   - fixedWeights: of the layers that are fixed.
  ///   - convolvesDirectly: oneDNN's primitives for all convolutions, for comparison.
  init(
    _ graph: Graph, _ pieces: PieceSchedule, _ layout: GraphMemory, offsets: [Int], memory: AlignedMemory,
    mode: Mode, scratch: Scratch, random: SampleKeys, weights: WeightVersion, fixedWeights: WeightVersion,
    convolvesDirectly: Bool
  ) {
    let (schedule, batch) = (pieces.schedule, pieces.batch)
    self.mode = mode
    self.batch = batch
    self.weights = weights
    self.memory = memory
    let base = UnsafeMutableRawPointer(memory.elements.baseAddress!)
    func value(_ index: Int) -> Tensor {
      Tensor(
        base + offsets[layout.values[index]], batch: batch, shape: graph.shapes[index],
        capacity: pieces.capacity(ofValue: index))
    }
    func gradient(_ slot: Int, of value: Int) -> Tensor {
      Tensor(
        base + offsets[slot], batch: batch, shape: graph.shapes[value], capacity: pieces.capacity(ofGradient: value))
    }
    input = value(0)
    output = value(graph.nodes.count)
    self.gradient = layout.gradients[graph.nodes.count].first.map { gradient($0, of: graph.nodes.count) }
    inputObservers = schedule.observers[0]

    forwardChains = zip(schedule.forward, pieces.forward).map { Chain(steps: $0, pieces: $1, remade: [], summing: []) }
    backwardChains = pieces.backward.indices.map { index in
      let steps = schedule.backward[index]
      return Chain(
        steps: steps, pieces: pieces.backward[index], remade: layout.remade[index],
        summing: steps.filter(pieces.sumsGradientInPieces.contains))
    }

    /// Those that the layer takes, and those that must be added before.
    func contributions(_ node: Int) -> (taken: [Tensor], sums: [(into: Tensor, from: Tensor)]) {
      var taken = layout.gradients[node + 1].map { gradient($0, of: node + 1) }
      var sums: [(into: Tensor, from: Tensor)] = []
      while taken.count > (graph.nodes[node].layer.traits.contains(.sumsGradients) ? 2 : 1) {
        sums.append((taken[0], taken.removeLast()))
      }
      return (taken, sums)
    }
    var works: [LayerWork] = []
    var steps: [Step] = []
    for (index, node) in graph.nodes.enumerated() {
      var inputs = node.inputs.map(value)
      let isMapped = pieces.mappedValues.contains(node.inputs[0])
      if isMapped { inputs[0] = value(graph.nodes[node.inputs[0] - 1].inputs[0]) }
      let binding = Binding(
        mode: schedule.trains[index] ? .training : .evaluation, inputs: inputs,
        inputMap: isMapped ? steps[node.inputs[0] - 1].operation.channelMap : nil,
        output: value(index + 1),
        outputGradients: contributions(index).taken,
        inputGradient: layout.inputGradients[index].map { gradient($0, of: node.inputs[0]) },
        forwardPieces: pieces.forward[schedule.forwardChain[index]],
        backwardPieces: schedule.trains[index] ? pieces.backward[schedule.backwardChain[index]] : nil,
        sumsGradientInPieces: pieces.sumsGradientInPieces.contains(index), scratch: scratch, random: random,
        weights: node.isFixed ? fixedWeights : weights, convolvesDirectly: convolvesDirectly)
      works.append(LayerWork(node.layer, binding))
      let writesOutput = !pieces.mappedValues.contains(index + 1)
      if !writesOutput { works[index].hasNoForward() }
      steps.append(
        Step(
          layer: node.layer, operation: node.layer.bind(binding), output: binding.output, writesOutput: writesOutput,
          observers: schedule.observers[index + 1],
          arrivals: schedule.completes[index].map { Arrival(producer: $0 - 1, sums: contributions($0 - 1).sums) }))
    }
    self.steps = steps
    for index in layout.remade.joined() { works[index].remakesOutput() }
    self.works = works
  }

  /// Whether there is a backward: not in evaluation, nor where all layers are fixed.
  package var trains: Bool { gradient != nil }

  /// dL/d embedding, M x K, to be filled before `backward`.
  package var outputGradient: Tensor {
    guard let gradient else { preconditionFailure("A pass that trains nothing has no gradient") }
    return gradient
  }

  package func forward() {
    let clock = clock
    beginForward()
    for (number, chain) in forwardChains.enumerated() {
      observer?.begins(chain: number, .forward)
      clock?.start()
      for index in chain.steps {
        steps[index].operation.beginForward()
        clock?.stop(index, .forward)
      }
      clock?.enter(chain.pieces)
      chain.pieces.forEach { images in
        clock?.start()
        for index in chain.steps { forward(index, images, clock) }
      }
      clock?.leave()
      observer?.ends(chain: number, .forward)
    }
  }

  /// Calls `finished` for each layer with parameters as soon as their gradients are complete.
  package func backward<E: Error>(_ finished: (any Layer) throws(E) -> Void) throws(E) {
    try backward(between: { () throws(E) in }, finished)
  }

  /// The same, with a call of `between` wherever something else may be driven on: after each piece of a batch that one
  /// thread works on, else after each chain, and after each gradient of a weight. Never from within a parallel region.
  package func backward<E: Error>(
    between: () throws(E) -> Void, _ finished: (any Layer) throws(E) -> Void
  ) throws(E) {
    precondition(trains, "Backward of a pass that trains nothing")
    let clock = clock
    for step in steps { step.operation.reset() }
    clock?.start()
    steps[steps.count - 1].operation.observeGradient(0..<batch)
    clock?.stop(steps.count - 1, works[steps.count - 1].gradientSums)
    for (number, chain) in backwardChains.enumerated() {
      observer?.begins(chain: number, .backward)
      clock?.start()
      for index in chain.steps {
        steps[index].operation.beginBackward()
        clock?.stop(index, works[index].dataDirection)
      }
      clock?.enter(chain.pieces)
      try chain.pieces.forEach(
        { images in
          clock?.start()
          for index in chain.steps { backward(index, images, clock) }
          // Only the weights' gradients read it, at the end of the chain; its input has just been looked at.
          for index in chain.remade {
            steps[index].operation.forward(images)
            clock?.stop(index, .forwardAgain)
          }
          for index in chain.summing {
            steps[index].operation.sumGradient(images)
            clock?.stop(index, works[index].weightDirection)
          }
        },
        between: { () throws(E) in
          clock?.leave()
          try between()
        })
      for index in chain.steps {
        clock?.start()
        steps[index].operation.endBackward()
        clock?.stop(index, works[index].weightDirection)
        if !steps[index].layer.parameters.isEmpty { try finished(steps[index].layer) }
      }
      observer?.ends(chain: number, .backward)
    }
  }

  /// For each chain of a stage, in the order in which they run, its layers' names: "layer1.0.conv1 + layer1.0.bn1".
  package func chainNames(_ stage: PassStage) -> [String] {
    chains(stage).map { chain in chain.steps.map { steps[$0].layer.name }.joined(separator: " + ") }
  }

  /// For each chain of the backward pass the layers whose gradients it completes.
  package var backwardLayers: [[any Layer]] {
    backwardChains.map { chain in chain.steps.map { steps[$0].layer }.filter { !$0.parameters.isEmpty } }
  }

  private func chains(_ stage: PassStage) -> [Chain] { stage == .forward ? forwardChains : backwardChains }

  /// Names of the convolutions' implementations.
  package var implementations: [String] {
    steps.flatMap { step -> [String] in
      switch step.operation {
      case let convolution as ConvolutionOperation: return convolution.implementations
      case let folded as FoldedConvolutionOperation: return [folded.implementation]
      default: return []
      }
    }
  }

  /// Runs forward again and names the first layer whose output is not finite; nil if all are.
  package func firstNonFiniteLayer() -> String? {
    beginForward()
    for chain in forwardChains {
      for index in chain.steps { steps[index].operation.beginForward() }
      // For each thread: it looks at each output before the next layer, or the next piece, may overwrite it.
      var firsts = [Int](repeating: .max, count: Parallel.threads)
      firsts.withUnsafeMutableBufferPointer { firsts in
        chain.pieces.forEach { images in
          for index in chain.steps {
            forward(index, images)
            let isFinite = isFinite(index, images)
            if !isFinite { firsts[Parallel.part] = min(firsts[Parallel.part], index) }
          }
        }
      }
      if let first = firsts.min(), first != .max { return steps[first].layer.name }
    }
    return nil
  }

  private func isFinite(_ index: Int, _ images: Range<Int>) -> Bool {
    let step = steps[index]
    if step.writesOutput { return step.output.images(images).allSatisfy(\.isFinite) }
    guard let map = step.operation.channelMap else { return true }
    return (0..<step.output.shape.channels).allSatisfy { map.a[$0].isFinite && map.b[$0].isFinite }
  }

  private func beginForward() {
    // Running statistics move now, and after backward comes an update.
    if trains { weights.number += 1 }
    for step in steps { step.operation.reset() }
    for observer in inputObservers { steps[observer].operation.observe(0..<batch) }
  }

  private func forward(_ index: Int, _ images: Range<Int>, _ clock: LayerClock? = nil) {
    let step = steps[index]
    guard step.writesOutput else { return }
    step.operation.forward(images)
    clock?.stop(index, .forward)
    for observer in step.observers {
      steps[observer].operation.observe(images)
      clock?.stop(observer, .forward)
    }
  }

  private func backward(_ index: Int, _ images: Range<Int>, _ clock: LayerClock?) {
    let step = steps[index]
    step.operation.backward(images)
    clock?.stop(index, works[index].dataDirection)
    for arrival in step.arrivals {
      for (into, from) in arrival.sums { Elementwise.add(from.images(images), into: into.images(images)) }
      steps[arrival.producer].operation.observeGradient(images)
      clock?.stop(arrival.producer, works[arrival.producer].gradientSums)
    }
  }
}

/// The two ways through a network.
package enum PassStage: Sendable { case forward, backward }

/// Hears when a pass works on which chain of layers: for traces, and to measure layers one by one.
///
/// Called on the thread that runs the pass, outside of any parallel region. `chain` counts from 0 in the order in which
/// the chains of a stage run; see `Pass.chainNames`.
package protocol PassObserver: AnyObject {
  func begins(chain: Int, _ stage: PassStage)
  func ends(chain: Int, _ stage: PassStage)
}
