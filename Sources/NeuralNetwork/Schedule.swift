/// The order of a pass's work: chains of neighbouring layers through which each thread takes a few images at a time.
///
/// What one layer of a chain writes, the next finds in the cache, and so does a batch normalization that waits behind
/// the chain for sums over the whole batch; `PieceSchedule` counts the passes over memory that are left.
///
/// A chain ends before a layer that needs sums of what the chain makes, before a second convolution (there is one
/// place for a weight in a primitive's layout), and around layers that work on the batch as a whole.
struct Schedule {
  /// Nodes in forward order.
  let forward: [[Int]]
  /// Nodes in backward order; none that are fixed, or in evaluation.
  let backward: [[Int]]
  /// Nodes that observe each value's pieces as they come.
  let observers: [[Int]]
  /// For each node the values whose gradient is complete after its backward.
  let completes: [[Int]]

  /// Whether a node has a backward.
  let trains: [Bool]
  /// For each node the number of its chain; -1 where it is in none.
  private(set) var forwardChain: [Int]
  private(set) var backwardChain: [Int]

  init(_ graph: Graph, mode: Mode) {
    let nodes = graph.nodes
    let trains = nodes.map { mode == .training && !$0.isFixed }
    func isImagewise(_ node: Int) -> Bool {
      nodes[node].layer.traits.contains(.imagewise) && graph.shapes[node + 1].layout == .blocked
    }
    func sums(_ node: Int) -> Bool { trains[node] && nodes[node].layer.traits.contains(.sumsOverBatch) }
    func isConvolution(_ node: Int) -> Bool { nodes[node].layer.traits.contains(.hasBlockedWeight) }

    func chains(_ order: [Int], _ feeds: (_ earlier: Int, _ later: Int) -> Bool) -> [[Int]] {
      var chains: [[Int]] = []
      for node in order {
        if let chain = chains.last, isImagewise(node), isImagewise(chain[0]),
          !(isConvolution(node) && chain.contains(where: isConvolution)),
          !(sums(node) && chain.contains { feeds($0, node) })
        {
          chains[chains.count - 1].append(node)
        } else {
          chains.append([node])
        }
      }
      return chains
    }
    forward = chains(Array(nodes.indices)) { earlier, later in nodes[later].inputs.contains(earlier + 1) }
    backward = chains(nodes.indices.reversed().filter { trains[$0] }) { earlier, later in
      nodes[earlier].inputs.contains(later + 1)
    }
    observers = graph.shapes.indices.map { value in nodes.indices.filter { sums($0) && nodes[$0].inputs[0] == value } }
    var completes = nodes.map { _ in [Int]() }
    for value in graph.shapes.indices.dropFirst() where trains[value - 1] {
      if let last = nodes.indices.first(where: { nodes[$0].inputs.contains(value) }) { completes[last].append(value) }
    }
    self.completes = completes
    self.trains = trains
    forwardChain = nodes.map { _ in -1 }
    backwardChain = forwardChain
    for (index, chain) in forward.enumerated() { for node in chain { forwardChain[node] = index } }
    for (index, chain) in backward.enumerated() { for node in chain { backwardChain[node] = index } }
  }

  // The time line of the memory plan: all values of a chain live while it runs.
  func forwardTime(_ node: Int) -> Int { forwardChain[node] }
  var lossTime: Int { forward.count }
  func backwardTime(_ node: Int) -> Int { forward.count + 1 + backwardChain[node] }
  func backwardChain(atTime time: Int) -> Int { time - forward.count - 1 }
}
