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
  private let schedule: Schedule
  private let batch: Int

  init(_ graph: Graph, _ schedule: Schedule, batch: Int, mode: Mode, recomputes: Bool = false) {
    self.graph = graph
    self.schedule = schedule
    self.batch = batch
    gradients = Array(repeating: [], count: graph.shapes.count)
    inputGradients = Array(repeating: nil, count: graph.nodes.count)
    remade = schedule.backward.map { _ in [] }
    switch mode {
    case .training:
      placeValues(inPlace: false, recomputes: recomputes)
      placeGradients()
    case .evaluation:
      placeValues(inPlace: true, recomputes: false)
    }
  }

  private func count(_ value: Int) -> Int { batch * graph.shapes[value].count }

  private mutating func placeValues(inPlace: Bool, recomputes: Bool) {
    var lastUse = graph.shapes.map { _ in -1 }
    for (index, node) in graph.nodes.enumerated() {
      for input in node.inputs { lastUse[input] = index }
    }
    values = [plan.add(count: count(0), birth: 0)]
    for (index, node) in graph.nodes.enumerated() {
      let first = node.inputs[0]
      let time = schedule.forwardTime(index)
      for input in node.inputs { plan.extend(values[input], to: time) }
      let sameSize = graph.shapes[first].count == graph.shapes[index + 1].count
      if inPlace && node.layer.traits.contains(.overwritesInput) && lastUse[first] == index && sameSize {
        values.append(values[first])
      } else if inPlace && node.layer.traits.contains(.overwritesSecondInput) && lastUse[node.inputs[1]] == index {
        values.append(values[node.inputs[1]])
      } else {
        values.append(plan.add(count: count(index + 1), birth: time))
      }
      plan.extend(values[index + 1], to: time)
      if !inPlace && node.layer.traits.contains(.readsInput) && !(recomputes && isRemade(first)) {
        plan.extend(values[first], to: schedule.backwardTime(index))
      }
    }
    plan.extend(values[graph.nodes.count], to: schedule.lossTime)
    if recomputes { placeRemade() }
  }

  /// What a batch normalization makes of its input, which is kept for its own backward, is cheap to make again where only
  /// the gradients of convolutions' weights need it.
  private func isRemade(_ value: Int) -> Bool {
    guard value > 0, graph.nodes[value - 1].layer.traits.contains(.remakesOutput),
      graph.shapes[value].layout == .blocked
    else { return false }
    let readers = backwardReaders(of: value)
    return !readers.isEmpty && readers.allSatisfy { graph.nodes[$0].layer.traits.contains(.hasBlockedWeight) }
  }

  /// Nodes whose backward reads the value.
  private func backwardReaders(of value: Int) -> [Int] {
    graph.nodes.indices.filter {
      graph.nodes[$0].inputs[0] == value && graph.nodes[$0].layer.traits.contains(.readsInput)
    }
  }

  private mutating func placeRemade() {
    for value in graph.shapes.indices where isRemade(value) {
      let times = backwardReaders(of: value).map(schedule.backwardTime)
      let (first, last) = (times.min()!, times.max()!)
      plan.revive(values[value], during: first...last)
      remade[schedule.backwardChain(atTime: first)].append(value - 1)
    }
  }

  private mutating func placeGradients() {
    let output = graph.nodes.count
    gradients[output] = [plan.add(count: count(output), birth: schedule.lossTime)]
    for index in graph.nodes.indices.reversed() {
      let node = graph.nodes[index]
      let time = schedule.backwardTime(index)
      let given = gradients[index + 1]
      precondition(!given.isEmpty, "Nobody reads the output of \(node.layer.name)")
      for slot in given { plan.extend(slot, to: time) }

      if node.inputs.count == 2, node.inputs[1] != 0 {
        gradients[node.inputs[1]].append(given[0])
        plan.extend(given[0], to: producerTime(node.inputs[1]))
      }
      guard node.inputs[0] != 0 else { continue }
      let slot: Int
      if node.layer.traits.contains(.overwritesGradient) && node.inputs.count == 1 {
        slot = given[0]
      } else {
        slot = plan.add(count: count(node.inputs[0]), birth: time)
      }
      inputGradients[index] = slot
      gradients[node.inputs[0]].append(slot)
      plan.extend(slot, to: producerTime(node.inputs[0]))
    }
  }

  private func producerTime(_ value: Int) -> Int { schedule.backwardTime(value - 1) }
}
