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
  }

  /// `memory` holds at least `GraphMemory.plan.place().count` Floats.
  ///
  /// - Parameters:
  ///   - isPiecewise: false runs layer after layer over the whole batch, for comparison.
  ///   - convolvesDirectly: oneDNN's primitives for all convolutions, for comparison.
  init(
    _ graph: Graph, _ schedule: Schedule, _ layout: GraphMemory, offsets: [Int], memory: AlignedMemory, batch: Int,
    mode: Mode, scratch: Scratch, random: SampleKeys, weights: WeightVersion, isPiecewise: Bool,
    convolvesDirectly: Bool
  ) {
    self.mode = mode
    self.batch = batch
    self.weights = weights
    self.memory = memory
    let base = memory.elements.baseAddress!
    func tensor(_ slot: Int, _ value: Int) -> Tensor {
      Tensor(base + offsets[slot], batch: batch, shape: graph.shapes[value])
    }
    input = tensor(layout.values[0], 0)
    output = tensor(layout.values[graph.nodes.count], graph.nodes.count)
    gradient = mode == .training ? tensor(layout.gradients[graph.nodes.count][0], graph.nodes.count) : nil
    inputObservers = schedule.observers[0]

    func chain(_ steps: [Int], remade: [Int] = []) -> Chain {
      Chain(
        steps: steps, pieces: schedule.pieces(steps, graph, batch: batch, isPiecewise: isPiecewise), remade: remade)
    }
    forwardChains = schedule.forward.map { chain($0) }
    backwardChains =
      mode == .training ? zip(schedule.backward, layout.remade).map { chain($0, remade: $1) } : []
    func pieces(_ node: Int, _ chains: [Chain]) -> Pieces {
      chains.first { $0.steps.contains(node) }?.pieces ?? Pieces(wholeBatch: batch)
    }

    /// Those that the layer takes, and those that must be added before.
    func contributions(_ node: Int) -> (taken: [Tensor], sums: [(into: Tensor, from: Tensor)]) {
      var taken = layout.gradients[node + 1].map { tensor($0, node + 1) }
      var sums: [(into: Tensor, from: Tensor)] = []
      while taken.count > (graph.nodes[node].layer.traits.contains(.sumsGradients) ? 2 : 1) {
        sums.append((taken[0], taken.removeLast()))
      }
      return (taken, sums)
    }
    let forwardChains = forwardChains
    let backwardChains = backwardChains
    steps = graph.nodes.enumerated().map { index, node in
      let binding = Binding(
        mode: mode, inputs: node.inputs.map { tensor(layout.values[$0], $0) },
        output: tensor(layout.values[index + 1], index + 1), outputGradients: contributions(index).taken,
        inputGradient: layout.inputGradients[index].map { tensor($0, node.inputs[0]) },
        forwardPieces: pieces(index, forwardChains), backwardPieces: pieces(index, backwardChains), scratch: scratch,
        random: random, weights: weights, convolvesDirectly: convolvesDirectly)
      return Step(
        layer: node.layer, operation: node.layer.bind(binding), output: binding.output,
        observers: schedule.observers[index + 1],
        arrivals: schedule.completes[index].map { Arrival(producer: $0 - 1, sums: contributions($0 - 1).sums) })
    }
  }

  /// dL/d embedding, M x K, to be filled before `backward`.
  package var outputGradient: Tensor {
    guard let gradient else { preconditionFailure("An evaluation pass has no gradient") }
    return gradient
  }

  package func forward() {
    beginForward()
    for (number, chain) in forwardChains.enumerated() {
      observer?.begins(chain: number, .forward)
      for index in chain.steps { steps[index].operation.beginForward() }
      chain.pieces.forEach { images in
        for index in chain.steps { forward(index, images) }
      }
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
    precondition(mode == .training, "Backward of an evaluation pass")
    for step in steps { step.operation.reset() }
    steps[steps.count - 1].operation.observeGradient(0..<batch)
    for (number, chain) in backwardChains.enumerated() {
      observer?.begins(chain: number, .backward)
      for index in chain.steps { steps[index].operation.beginBackward() }
      try chain.pieces.forEach(
        { images in
          for index in chain.steps { backward(index, images) }
          // Only the weights' gradients read it, at the end of the chain; its input has just been looked at.
          for index in chain.remade { steps[index].operation.forward(images) }
        }, between: between)
      for index in chain.steps {
        steps[index].operation.endBackward()
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
      for index in chain.steps {
        // Layer after layer: in evaluation a layer may overwrite what the one before it made.
        steps[index].operation.beginForward()
        chain.pieces.forEach { images in forward(index, images) }
        if steps[index].output.buffer.contains(where: { !$0.isFinite }) { return steps[index].layer.name }
      }
    }
    return nil
  }

  private func beginForward() {
    // Running statistics move now, and after backward comes an update.
    if mode == .training { weights.number += 1 }
    for step in steps { step.operation.reset() }
    for observer in inputObservers { steps[observer].operation.observe(0..<batch) }
  }

  private func forward(_ index: Int, _ images: Range<Int>) {
    let step = steps[index]
    step.operation.forward(images)
    for observer in step.observers { steps[observer].operation.observe(images) }
  }

  private func backward(_ index: Int, _ images: Range<Int>) {
    let step = steps[index]
    step.operation.backward(images)
    for arrival in step.arrivals {
      for (into, from) in arrival.sums { Elementwise.add(from.images(images), into: into.images(images)) }
      steps[arrival.producer].operation.observeGradient(images)
    }
  }
}
