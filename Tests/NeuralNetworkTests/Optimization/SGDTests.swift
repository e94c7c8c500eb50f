import NeuralNetwork
import Testing

@Suite struct SGDTests {
  /// Two parameters, of 5 and 3 values, as PyTorch's run had.
  func store() -> ParameterStore {
    let store = ParameterStore([Parameter("a", [5], .constant(0)), Parameter("b", [3], .constant(0))])
    set(RecordedSGD.start, in: store, \.value)
    return store
  }

  func set(
    _ values: [Float], in store: ParameterStore, _ memory: KeyPath<Parameter, UnsafeMutableBufferPointer<Float>>
  ) {
    _ = store.parameters[0][keyPath: memory].update(fromContentsOf: values[0..<5])
    _ = store.parameters[1][keyPath: memory].update(fromContentsOf: values[5..<8])
  }

  func error(_ run: RecordedSGD.Run, momentum: Float? = nil, decays: [Float]? = nil, clip: Double?? = nil) -> Double {
    let store = store()
    let decays = decays ?? run.decays
    let sgd = SGD(momentum: momentum ?? run.momentum, isNesterov: run.isNesterov)
    let update = ParameterUpdate(store, .sgd(sgd)) {
      decays[$0.name == "a" ? 0 : 1]
    }
    let clipping = (clip ?? run.clip).map { GradientClipping([store], maximumNorm: $0) }
    for (step, rate) in RecordedSGD.learningRates.enumerated() {
      set(Array(RecordedSGD.gradients[step * 8..<step * 8 + 8]), in: store, \.gradient)
      let factor = clipping.map { $0.factor(forNorm: $0.norm()) } ?? 1
      update.run(UpdateStep(index: step, learningRate: Double(rate), gradientFactor: factor))
    }
    #expect(store.values[5..<16].allSatisfy { $0 == 0 } && store.states[0].values[19..<32].allSatisfy { $0 == 0 })
    return difference(Array(store.values[0..<5]) + Array(store.values[16..<19]), run.result)
  }

  @Test(arguments: RecordedSGD.runs) func reproducesPyTorch(run: RecordedSGD.Run) {
    #expect(error(run) < 3e-7)
  }

  @Test func noticesPlantedMistakes() {
    let run = RecordedSGD.runs[2]
    #expect(error(run, momentum: 0.89) > 1e-3)
    #expect(error(run, decays: [0.0625, 0.0625]) > 1e-3)
    #expect(error(run, decays: [0, 0]) > 1e-3)
    #expect(error(RecordedSGD.runs[4], clip: .some(1.6)) > 1e-3)
  }

  /// Ranges that cut through vectors and parameters give the bits of one whole update.
  @Test func rangesEqualTheWhole() {
    let (count, rest) = (1000, 37)
    var updates: [ParameterUpdate] = []
    let stores = (0..<2).map { _ in
      let store = ParameterStore([
        Parameter("a", [count], .constant(0)), Parameter("fixed", [9], .constant(0), isTrained: false),
        Parameter("b", [rest], .constant(0)),
      ])
      updates.append(ParameterUpdate(store, .sgd(SGD(isNesterov: true))) { $0.name == "a" ? 0.01 : 0 })
      for (seed, memory) in [store.parameters[0], store.parameters[1]].enumerated() {
        _ = memory.value.update(fromContentsOf: normals(memory.count, seed: UInt64(seed)))
        _ = memory.gradient.update(fromContentsOf: normals(memory.count, seed: UInt64(seed + 2)))
        _ = memory.states[0].values.update(fromContentsOf: normals(memory.count, seed: UInt64(seed + 4)))
      }
      return store
    }
    let step = UpdateStep(index: 4, learningRate: 0.1, gradientFactor: 0.7)
    updates[0].run(step)
    let end = stores[1].trainedCount
    for range in [0..<3, 3..<501, 501..<1020, 1020..<end] {
      updates[1].run(step, in: range)
    }
    #expect(Array(stores[0].values) == Array(stores[1].values))
    #expect(Array(stores[0].states[0].values) == Array(stores[1].states[0].values))
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
