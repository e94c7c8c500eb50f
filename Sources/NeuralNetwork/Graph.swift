/// The layers of a network and which value feeds which.
///
/// Value 0 is the input; node i makes value i + 1, so nodes stand in an order in which they can run.
package struct Graph {
  /// A value of the graph, as the builder hands it on.
  package struct Value: Hashable, Sendable {
    let index: Int
  }

  struct Node {
    let layer: any Layer
    let inputs: [Int]
    /// Runs as in inference in training passes too, and has no backward: see `Graph.freezing`.
    let isFixed: Bool
  }

  private(set) var nodes: [Node] = []
  private(set) var shapes: [Shape]

  package let input = Value(index: 0)
  package var output: Value { Value(index: nodes.count) }

  package init(input shape: Shape) { shapes = [shape] }

  package mutating func add(_ layer: any Layer, _ inputs: Value...) -> Value { add(layer, inputs: inputs) }

  mutating func add(_ layer: any Layer, inputs: [Value], isFixed: Bool = false) -> Value {
    precondition(inputs.allSatisfy { $0.index < shapes.count }, "\(layer.name) reads a value that is not there yet")
    precondition(
      inputs.count == 1 || layer.traits.contains(.addsSecondInput), "\(layer.name) takes one input, not \(inputs.count)"
    )
    shapes.append(layer.outputShape(inputs.map { shapes[$0.index] }))
    nodes.append(Node(layer: layer, inputs: inputs.map(\.index), isFixed: isFixed))
    return output
  }

  package func shape(of value: Value) -> Shape { shapes[value.index] }
}
