extension Graph {
  /// The same function in evaluation, with fewer passes over memory: a convolution takes the batch normalization or the
  /// PReLU behind it, with its residual, into itself, where nobody else reads what stands between them.
  ///
  /// Batch normalization before a convolution stays: at padded borders the two do not commute.
  package func folded() -> Graph { folded { _, _ in true } }

  /// The same for training passes: of fixed layers alone, and not where Winograd's filtering makes up for a second pass over
  /// memory.
  func foldedWhereFixed() -> Graph {
    folded { convolution, next in
      guard convolution.isFixed, next.isFixed, let layer = convolution.layer as? Convolution else { return false }
      return !WinogradConvolution.suits(layer.geometry, shapes[convolution.inputs[0]])
    }
  }

  private func folded(where isWanted: (_ convolution: Node, _ next: Node) -> Bool) -> Graph {
    var result = Graph(input: shapes[0])
    var values: [Value?] = [result.input]
    func readers(_ value: Int) -> [Int] { nodes.indices.filter { nodes[$0].inputs.contains(value) } }
    for (index, node) in nodes.enumerated() {
      if node.layer is Convolution, let next = readers(index + 1).first, readers(index + 1).count == 1,
        nodes[next].inputs[0] == index + 1, FoldedConvolution.canFold(nodes[next].layer), isWanted(node, nodes[next])
      {
        values.append(nil)
        continue
      }
      var layer = node.layer
      var inputs = node.inputs
      if values[inputs[0]] == nil, let convolution = nodes[inputs[0] - 1].layer as? Convolution {
        layer = FoldedConvolution(convolution.geometry, layer, addsSecondInput: inputs.count > 1)
        inputs[0] = nodes[inputs[0] - 1].inputs[0]
      }
      values.append(result.add(layer, inputs: inputs.map { values[$0]! }, isFixed: node.isFixed))
    }
    return result
  }
}
