/// What a network takes in memory, by formula: its parameters are named and counted, nothing is allocated.
package struct NetworkFootprint: Sendable {
  /// Elements of all parameters.
  package let parameterCount: Int
  /// Floats of all gradients, whole cache lines each: what ranks sum in a step.
  package let gradientCount: Int
  /// Floats of the running statistics that training moves: what ranks average in a step.
  package let statisticsCount: Int
  /// Values, gradients and optimizer's states.
  package let parameterBytes: Int
  package let statisticsBytes: Int
  /// What the optimizer keeps of each element.
  package let states: Int
  /// What it computes of matrices as wholes; nil where it does not.
  package let matrixWork: MatrixWork?
  /// Activations and their gradients of a training pass.
  package let activationBytes: Int
  package let embeddingWidth: Int

  /// `batch` is the largest that a pass is made for, `threads` those that it runs on; no `optimizer` without
  /// training. `frozen` names parameters that are not trained.
  package init(
    _ kind: NetworkKind, embeddingWidth: Int = 512, inputSide: Int = 112, dropout: Double = 0, recomputes: Bool = false,
    frozen: Set<String> = [], optimizer: Optimizer?, batch: Int, threads: Int = Parallel.threads
  ) {
    let graph = kind.makeGraph(embeddingWidth: embeddingWidth, inputSide: inputSide, dropout: dropout).freezing(frozen)
    let layers = graph.nodes.map(\.layer)
    let parameters = layers.reversed().flatMap(\.parameters)
    let statistics = layers.flatMap(\.statistics)
    parameterCount = parameters.reduce(0) { $0 + $1.count }
    states = optimizer?.stateNames.count ?? 0
    let trained = parameters.filter(\.isTrained)
    matrixWork = optimizer?.updatesMatrices == true && !trained.isEmpty ? MatrixWork(trained) : nil
    gradientCount = ParameterStore.layout(parameters).trainedCount
    statisticsCount = ParameterStore.layout(layers.filter(\.movesStatistics).flatMap(\.statistics)).count
    parameterBytes = ParameterStore.bytes(parameters, states: states)
    statisticsBytes = ParameterStore.bytes(statistics, gradients: false, states: 0)
    activationBytes = Network.activationBytes(
      graph.foldedWhereFixed(), batch: batch, .training, recomputes: recomputes, threads: threads)
    self.embeddingWidth = embeddingWidth
  }
}
