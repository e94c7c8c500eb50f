/// Which memory each value, and each contribution to a value's gradient, takes in a pass of one batch size.
///
/// Time runs through the chains of the `Schedule` forward, is the loss's turn, then runs through the chains backward.
struct GraphMemory {
  /// Slot of each value.
  private(set) var values: [Int] = []
  /// Slots of the contributions to each value's gradient, in the order in which backward makes them.
  private(set) var gradients: [[Int]]
  /// Slot of the gradient that each node writes for its first input; nil where nobody asks.
  private(set) var inputGradients: [Int?]
  /// For each chain of the backward pass the nodes whose output is made again in it.
  private(set) var remade: [[Int]]
  private(set) var plan = MemoryPlan()

  private let graph: Graph
  private let pieces: PieceSchedule
  private var schedule: Schedule { pieces.schedule }

  init(_ graph: Graph, _ pieces: PieceSchedule) {
    self.graph = graph
    self.pieces = pieces
    gradients = Array(repeating: [], count: graph.shapes.count)
    inputGradients = Array(repeating: nil, count: graph.nodes.count)
    remade = pieces.schedule.backward.map { _ in [] }
    placeValues()
    placeGradients()
  }

  private func bytes(ofValue value: Int) -> Int {
    pieces.mappedValues.contains(value) ? 0 : pieces.bytes(value, capacity: pieces.capacity(ofValue: value))
  }

  private func bytes(ofGradient value: Int) -> Int {
    pieces.bytes(value, capacity: pieces.capacity(ofGradient: value))
  }

  private mutating func placeValues() {
    var lastUse = graph.shapes.map { _ in -1 }
    for (index, node) in graph.nodes.enumerated() {
      for input in node.inputs { lastUse[input] = index }
    }
    values = [plan.add(bytes: bytes(ofValue: 0), birth: 0)]
    for (index, node) in graph.nodes.enumerated() {
      let first = node.inputs[0]
      let time = schedule.forwardTime(index)
      for input in node.inputs { plan.extend(values[input], to: time) }
      // Where backward follows, values are kept for it.
      func mayOverwrite(_ input: Int) -> Bool {
        !schedule.trains[index] && lastUse[input] == index && pieces.backwardReaders(of: input).isEmpty
      }
      let sameSize = graph.shapes[first].bytes == graph.shapes[index + 1].bytes
      if node.layer.traits.contains(.overwritesInput) && mayOverwrite(first) && sameSize {
        values.append(values[first])
      } else if node.layer.traits.contains(.overwritesSecondInput) && mayOverwrite(node.inputs[1]) {
        values.append(values[node.inputs[1]])
      } else {
        values.append(plan.add(bytes: bytes(ofValue: index + 1), birth: time))
      }
      plan.extend(values[index + 1], to: time)
      if schedule.trains[index] && node.layer.traits.contains(.readsInput) && !pieces.remadeValues.contains(first) {
        plan.extend(values[first], to: schedule.backwardTime(index))
      }
    }
    plan.extend(values[graph.nodes.count], to: schedule.lossTime)
    placeRemade()
  }

  private mutating func placeRemade() {
    for value in pieces.remadeValues.sorted() {
      let times = pieces.backwardReaders(of: value).map(schedule.backwardTime)
      let (first, last) = (times.min()!, times.max()!)
      plan.revive(values[value], during: first...last)
      remade[schedule.backwardChain(atTime: first)].append(value - 1)
    }
  }

  private mutating func placeGradients() {
    let output = graph.nodes.count
    func asksForGradient(_ value: Int) -> Bool { value > 0 && schedule.trains[value - 1] }
    guard asksForGradient(output) else { return }
    gradients[output] = [plan.add(bytes: bytes(ofGradient: output), birth: schedule.lossTime)]
    for index in graph.nodes.indices.reversed() where schedule.trains[index] {
      let node = graph.nodes[index]
      let time = schedule.backwardTime(index)
      let given = gradients[index + 1]
      precondition(!given.isEmpty, "Nobody reads the output of \(node.layer.name)")
      for slot in given { plan.extend(slot, to: time) }

      if node.inputs.count == 2, asksForGradient(node.inputs[1]) {
        gradients[node.inputs[1]].append(given[0])
        plan.extend(given[0], to: producerTime(node.inputs[1]))
      }
      guard asksForGradient(node.inputs[0]) else { continue }
      let slot: Int
      let passes = pieces.passingGradients.contains(index + 1) || pieces.passingGradients.contains(node.inputs[0])
      if node.layer.traits.contains(.overwritesGradient) && node.inputs.count == 1 && !passes {
        slot = given[0]
      } else {
        slot = plan.add(bytes: bytes(ofGradient: node.inputs[0]), birth: time)
      }
      inputGradients[index] = slot
      gradients[node.inputs[0]].append(slot)
      plan.extend(slot, to: producerTime(node.inputs[0]))
    }
  }

  private func producerTime(_ value: Int) -> Int { schedule.backwardTime(value - 1) }
}
