/// What a network computes in evaluation, taken apart into the operations that exchange formats know.
///
/// Values are named after the operation that makes them, weights as in the state dict. Every value has a batch in front.
package struct ElementaryGraph {
  /// A weight, row-major.
  package struct Weight {
    package let name: String
    package let shape: [Int]
    package let values: [Float]

    package init(name: String, shape: [Int], values: [Float]) {
      (self.name, self.shape, self.values) = (name, shape, values)
    }
  }

  package enum Operation {
    /// w (O, C / G, k, k), b (O); PyTorch's `Conv2d`.
    case convolution(weight: Weight, bias: Weight?, stride: Int, padding: Int, groups: Int)
    /// All (C): y = scale (x - mean) / sqrt(variance + epsilon) + bias.
    case batchNormalization(scale: Weight, bias: Weight, mean: Weight, variance: Weight, epsilon: Double)
    /// slope (C)
    case prelu(slope: Weight)
    /// Of two values of one shape.
    case add
    /// (C, H, W) to (C H W)
    case flatten
    /// w (K, D), b (K): y = x w^T + b.
    case fullyConnected(weight: Weight, bias: Weight?)
  }

  package struct Node {
    /// Of the operation and of the value that it makes.
    package let name: String
    package let operation: Operation
    package let inputs: [String]
  }

  /// The images' name among the values.
  package static let input = "data"

  /// In an order in which they can run.
  package private(set) var nodes: [Node] = []

  /// The embeddings' name among the values.
  package var output: String { nodes.last!.name }

  mutating func append(_ name: String, _ operation: Operation, _ inputs: String...) -> String {
    precondition(!nodes.contains { $0.name == name }, "Two operations named \(name)")
    nodes.append(Node(name: name, operation: operation, inputs: inputs))
    return name
  }
}

extension Network {
  /// The network's operations with the weights of now.
  ///
  /// - Parameter folded: batch normalization goes into the convolution or the fully connected layer before it. What
  ///   stands before a convolution stays: at padded borders the two do not commute.
  package func elementaryGraph(folded: Bool) -> ElementaryGraph {
    ElementaryGraph(folded ? foldedGraph : graph, foldsFullyConnected: folded)
  }
}
