extension Graph {
  /// The same graph, of which the parameters of these names stay as they are: they get no gradient and no update.
  ///
  /// A layer that trains nothing and stands behind none that does is fixed: nobody asks for a gradient there, so it runs as in
  /// inference and keeps nothing. One between layers that are trained passes the gradient on.
  package func freezing(_ names: Set<String>) -> Graph {
    guard !names.isEmpty else { return self }
    for parameter in nodes.flatMap(\.layer.parameters) where names.contains(parameter.name) {
      parameter.isTrained = false
    }
    return fixing { node, fixed in
      node.layer.parameters.allSatisfy { !$0.isTrained } && node.inputs.allSatisfy { $0 == 0 || fixed[$0 - 1] }
    }
  }

  /// The same graph with all layers fixed: steps that train nothing of it.
  func fixed() -> Graph { fixing { _, _ in true } }

  /// Whether no layer needs a backward pass.
  var isFixed: Bool { nodes.allSatisfy(\.isFixed) }

  /// `isFixed` hears of each node, and which of those before it are fixed.
  private func fixing(_ isFixed: (Node, _ before: [Bool]) -> Bool) -> Graph {
    var result = Graph(input: shapes[0])
    var fixed: [Bool] = []
    for node in nodes {
      fixed.append(isFixed(node, fixed))
      _ = result.add(node.layer, inputs: node.inputs.map(Value.init), isFixed: fixed[fixed.count - 1])
    }
    return result
  }
}
