import NeuralNetwork
import Testing

/// Formulas of memory against the memory that is made.
@Suite struct FootprintTests {
  @Test(
    arguments: [
      (NetworkKind.mobilefacenet, 3), (.mobilefacenetX2, 1), (.iresnet18, 2), (.spherenet20, 4),
    ], [false, true])
  func network(size: (kind: NetworkKind, batch: Int), recomputes: Bool) {
    let (kind, batch) = size
    let footprint = NetworkFootprint(
      kind, embeddingWidth: 64, inputSide: 48, recomputes: recomputes, optimizer: .sgd(SGD()), batch: batch)
    let network = kind.makeNetwork(embeddingWidth: 64, inputSide: 48, recomputes: recomputes)
    network.parameters.makeStates(SGD.stateNames)
    network.reserve(training: batch)
    #expect(footprint.parameterBytes == network.parameters.bytes)
    #expect(footprint.statisticsBytes == network.statistics.bytes)
    #expect(footprint.gradientCount == network.parameters.trainedCount)
    #expect(footprint.statisticsCount == network.statistics.values.count)
    #expect(footprint.parameterCount == network.parameters.parameters.reduce(0) { $0 + $1.count })
    #expect(footprint.activationBytes == network.passBytes)
    #expect(footprint.activationBytes > 0)
  }

  @Test(arguments: [(100, 64, 8), (1001, 48, 33), (7, 512, 1)], [true, false])
  func classifier(size: (rows: Int, width: Int, capacity: Int), holdsGradient: Bool) {
    let loss = LargeMarginCosineLoss(
      classes: 0..<size.rows, of: size.rows + 5, width: size.width, capacity: size.capacity, margin: .cosine(0.35),
      logitScale: .fixed(32), holdsGradient: holdsGradient)
    loss.classWeight.store.makeStates(SGD.stateNames)
    let formula = LargeMarginCosineLoss.bytes(
      rows: size.rows, width: size.width, capacity: size.capacity, threads: Parallel.threads,
      holdsGradient: holdsGradient, states: 1)
    #expect(formula == loss.bytes)
  }
}
