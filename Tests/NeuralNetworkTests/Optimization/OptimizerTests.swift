import NeuralNetwork
import Testing

@Suite struct OptimizerTests {
  /// Two parameters, of 5 and 3 values, as PyTorch's run had.
  private func store() -> ParameterStore {
    let store = ParameterStore([Parameter("a", [5], .constant(0)), Parameter("b", [3], .constant(0))])
    set(RecordedSGD.start, in: store, \.value)
    return store
  }

  private func set(
    _ values: [Float], in store: ParameterStore, _ memory: KeyPath<Parameter, UnsafeMutableBufferPointer<Float>>
  ) {
    _ = store.parameters[0][keyPath: memory].update(fromContentsOf: values[0..<5])
    _ = store.parameters[1][keyPath: memory].update(fromContentsOf: values[5..<8])
  }

  /// The largest difference after five steps, the first of which is the `first`-th of a run.
  private func error(
    _ optimizer: Optimizer, decays: [Float], clip: Double?, rateFactor: Double = 1, first: Int = 0, _ result: [Float]
  ) -> Double {
    let store = store()
    let update = ParameterUpdate(store, optimizer) { decays[$0.name == "a" ? 0 : 1] }
    let clipping = clip.map { GradientClipping([store], maximumNorm: $0) }
    for (step, rate) in RecordedSGD.learningRates.enumerated() {
      set(Array(RecordedSGD.gradients[step * 8..<step * 8 + 8]), in: store, \.gradient)
      let factor = clipping.map { $0.factor(forNorm: $0.norm()) } ?? 1
      update.run(
        UpdateStep(index: first + step, learningRate: rateFactor * Double(rate), gradientFactor: factor))
    }
    // Padding stays zero.
    #expect(store.values[5..<16].allSatisfy { $0 == 0 })
    #expect(store.states.count == optimizer.stateNames.count)
    for state in store.states { #expect(state.values[19..<32].allSatisfy { $0 == 0 }) }
    return difference(Array(store.values[0..<5]) + Array(store.values[16..<19]), result)
  }

  private func error(
    _ run: RecordedSGD.Run, momentum: Float? = nil, decays: [Float]? = nil, clip: Double?? = nil
  ) -> Double {
    error(
      .sgd(SGD(momentum: momentum ?? run.momentum, isNesterov: run.isNesterov)), decays: decays ?? run.decays,
      clip: clip ?? run.clip, run.result)
  }

  private func error(
    _ run: RecordedAdamW.Run, beta1: Double? = nil, beta2: Double? = nil, epsilon: Double? = nil,
    decays: [Float]? = nil, first: Int = 0
  ) -> Double {
    error(
      .adamW(AdamW(beta1: beta1 ?? run.beta1, beta2: beta2 ?? run.beta2, epsilon: epsilon ?? run.epsilon)),
      decays: decays ?? run.decays, clip: run.clip, rateFactor: 0.1, first: first, run.result)
  }

  @Test(arguments: RecordedSGD.runs) func reproducesPyTorch(run: RecordedSGD.Run) {
    #expect(error(run) < 3e-7)
  }

  @Test(arguments: RecordedAdamW.runs) func reproducesPyTorch(run: RecordedAdamW.Run) {
    #expect(error(run) < 3e-7)
  }

  @Test func noticesPlantedMistakes() {
    let run = RecordedSGD.runs[2]
    #expect(error(run, momentum: 0.89) > 1e-3)
    #expect(error(run, decays: [0.0625, 0.0625]) > 1e-3)
    #expect(error(run, decays: [0, 0]) > 1e-3)
    #expect(error(RecordedSGD.runs[4], clip: .some(1.6)) > 1e-3)
    let adam = RecordedAdamW.runs[2]
    #expect(error(adam, beta1: 0.81) > 1e-4)
    #expect(error(adam, beta2: 0.96) > 5e-5)
    #expect(error(adam, decays: [0.5, 0.125]) > 1e-3)
    #expect(error(RecordedAdamW.runs[3], epsilon: 0.11) > 1e-4)
    // A run that goes on has other corrections of the averages than one that begins.
    #expect(error(adam, first: 1) > 1e-3)
  }

  /// Ranges that cut through vectors and parameters give the bits of one whole update.
  @Test(arguments: [Optimizer.sgd(SGD(isNesterov: true)), .adamW(AdamW()), .muon(Muon())]) func rangesEqualTheWhole(
    optimizer: Optimizer
  ) {
    let (count, rest) = (1000, 37)
    let updates = (0..<2).map { _ in
      let store = ParameterStore([
        Parameter("a", [count / 8, 8], .constant(0)), Parameter("fixed", [9], .constant(0), isTrained: false),
        Parameter("b", [rest], .constant(0)),
      ])
      let update = ParameterUpdate(store, optimizer) { $0.name == "a" ? 0.01 : 0 }
      for (seed, memory) in [store.parameters[0], store.parameters[1]].enumerated() {
        _ = memory.value.update(fromContentsOf: normals(memory.count, seed: UInt64(seed)))
        _ = memory.gradient.update(fromContentsOf: normals(memory.count, seed: UInt64(seed + 2)))
        for (number, state) in memory.states.enumerated() {
          // Adam's averages of squares are not negative.
          _ = state.values.update(
            fromContentsOf: normals(memory.count, seed: UInt64(seed + 4 + 2 * number)).map {
              number == 0 ? $0 : $0 * $0
            })
        }
      }
      return update
    }
    let step = UpdateStep(index: 4, learningRate: 0.1, gradientFactor: 0.7)
    let stores = updates.map(\.store)
    let before = Array(stores[0].values)
    updates[0].run(step)
    for range in [0..<3, 3..<501, 501..<1020, 1020..<stores[1].trainedCount] { updates[1].run(step, in: range) }
    for update in updates {
      update.orthogonalize()
      update.finish(step)
    }
    #expect(Array(stores[0].values) == Array(stores[1].values))
    #expect(Array(stores[0].values) != before)
    for (whole, pieces) in zip(stores[0].states, stores[1].states) {
      #expect(Array(whole.values) == Array(pieces.values))
    }
    // Buffers do not keep their owners alive.
    withExtendedLifetime(stores) {}
  }

  @Test func clipsByTheNormOfAllStores() {
    let stores = [200_000, 3].map { ParameterStore([Parameter("p", [$0], .constant(0))]) }
    for store in stores { for i in store.parameters[0].gradient.indices { store.parameters[0].gradient[i] = 2 } }
    let clipping = GradientClipping(stores, maximumNorm: 10)
    let norm = (4 * 200_003.0).squareRoot()
    #expect(abs(clipping.norm() - norm) < 1e-9 * norm)
    #expect(clipping.factor(forNorm: norm) == Float(10 / (norm + 1e-6)))
    #expect(clipping.factor(forNorm: 9.9) == 1)
  }
}
