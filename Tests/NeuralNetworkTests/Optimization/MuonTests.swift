import NeuralNetwork
import Testing

@Suite struct MuonTests {
  /// Two matrices, a vector, and a depthwise convolution's weight, as PyTorch's run had.
  private func store() -> ParameterStore {
    let store = ParameterStore(
      RecordedMuon.shapes.enumerated().map { Parameter("p\($0)", $1, .constant(0)) })
    set(RecordedMuon.start[...], in: store, \.value)
    return store
  }

  private func set(
    _ values: ArraySlice<Float>, in store: ParameterStore,
    _ memory: KeyPath<Parameter, UnsafeMutableBufferPointer<Float>>
  ) {
    var rest = values
    for parameter in store.parameters {
      _ = parameter[keyPath: memory].update(fromContentsOf: rest.prefix(parameter.count))
      rest = rest.dropFirst(parameter.count)
    }
  }

  /// The largest difference after four steps.
  private func error(
    _ run: RecordedMuon.Run, momentum: Double? = nil, factor: Double? = nil, decay: Float? = nil,
    optimizer: Optimizer? = nil
  ) -> Double {
    let store = store()
    let muon = Optimizer.muon(Muon(momentum: momentum ?? run.momentum, factor: factor ?? run.factor))
    let update = ParameterUpdate(store, optimizer ?? muon) { _ in decay ?? run.decay }
    let clipping = run.clip.map { GradientClipping([store], maximumNorm: $0) }
    let count = RecordedMuon.start.count
    for (index, rate) in RecordedMuon.learningRates.enumerated() {
      store.zeroGradients()
      set(RecordedMuon.gradients.dropFirst(index * count).prefix(count), in: store, \.gradient)
      let factor = clipping.map { $0.factor(forNorm: $0.norm()) } ?? 1
      let step = UpdateStep(index: index, learningRate: Double(rate), gradientFactor: factor)
      update.run(step)
      update.orthogonalize()
      update.finish(step)
    }
    return difference(store.parameters.flatMap { Array($0.value) }, run.result)
  }

  @Test(arguments: RecordedMuon.runs) func reproducesPyTorch(run: RecordedMuon.Run) {
    #expect(error(run) < 1e-6)
  }

  @Test func noticesPlantedMistakes() {
    let run = RecordedMuon.runs[1]
    #expect(error(run, momentum: 0.9) > 1e-3)
    #expect(error(run, factor: 3.9) > 1e-4)
    #expect(error(run, decay: 0.4) > 1e-4)
    #expect(error(run, optimizer: .adamW(AdamW())) > 1e-2)
  }

  /// Matrices larger than a tile either way, against the formula in Double; any number of threads gives the same bits.
  @Test(arguments: [[70, 1100], [1100, 70], [130, 130], [1, 600], [3, 2, 3, 3]]) func largeMatrices(shape: [Int]) {
    let values = normals(shape.reduce(1, *), seed: 3)
    let before = Parallel.threads
    defer { Parallel.setThreads(before) }
    let results = [1, 2, 3].map { threads in
      Parallel.setThreads(threads)
      // A small one beside it, as threads take tiles in turn.
      let store = ParameterStore([Parameter("a", shape, .constant(0)), Parameter("b", [4, 5], .constant(0))])
      _ = store.parameters[0].gradient.update(fromContentsOf: values)
      _ = store.parameters[1].gradient.update(fromContentsOf: normals(20, seed: 4))
      Orthogonalization(store.parameters).run()
      return store.parameters.map { Array($0.gradient) }
    }
    #expect(results[0] == results[1] && results[0] == results[2])
    let expected = orthogonal(values.map(Double.init), rows: shape[0])
    #expect(zip(results[0][0], expected).allSatisfy { abs(Double($0) - $1) < 2e-5 })
  }

  /// X (rows, columns) by the formula of `Orthogonalization`.
  private func orthogonal(_ given: [Double], rows: Int) -> [Double] {
    let columns = given.count / rows
    let norm = given.reduce(0) { $0 + $1 * $1 }.squareRoot()
    var x = (0..<rows).map { row in (0..<columns).map { given[row * columns + $0] / norm } }
    func product(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] {
      a.map { row in
        var sum = Array(repeating: 0.0, count: b[0].count)
        for (factor, other) in zip(row, b) { for j in sum.indices { sum[j] += factor * other[j] } }
        return sum
      }
    }
    func transposed(_ a: [[Double]]) -> [[Double]] { a[0].indices.map { j in a.map { $0[j] } } }
    if rows > columns { x = transposed(x) }
    for _ in 0..<5 {
      let gram = product(x, transposed(x))
      var polynomial = product(gram, gram)
      for i in gram.indices {
        for j in gram.indices {
          polynomial[i][j] = 2.0315 * polynomial[i][j] - 4.7750 * gram[i][j] + (i == j ? 3.4445 : 0)
        }
      }
      x = product(polynomial, x)
    }
    return (rows > columns ? transposed(x) : x).flatMap { $0 }
  }

  @Test func zerosStayZeros() {
    let store = ParameterStore([Parameter("a", [20, 30], .constant(0))])
    Orthogonalization(store.parameters).run()
    #expect(store.gradients.allSatisfy { $0 == 0 })
  }

  /// What ranks make, each its share, is what one makes.
  @Test(arguments: [1, 2, 3, 7]) func ranksDivideTheMatrices(ranks: Int) {
    let parameters = { () -> [Parameter] in
      [[30, 40], [7], [64, 1, 3, 3], [20, 10, 3, 3], [16, 16], [5]].enumerated()
        .map { Parameter("p\($0)", $1, .constant(0)) }
    }
    func updated(_ rank: Int, of ranks: Int) -> (ParameterStore, ParameterUpdate) {
      let store = ParameterStore(parameters())
      let update = ParameterUpdate(store, .muon(Muon()), rank: rank, of: ranks) { _ in 0 }
      for (index, parameter) in store.parameters.enumerated() {
        _ = parameter.gradient.update(fromContentsOf: normals(parameter.count, seed: UInt64(index)))
      }
      update.orthogonalize()
      return (store, update)
    }
    let (whole, _) = updated(0, of: 1)
    let work = MatrixWork(parameters())
    var next = 0
    var largest = 0
    for rank in 0..<ranks {
      let (store, update) = updated(rank, of: ranks)
      let share = update.shares[rank]
      #expect(share.lowerBound == next)
      next = share.upperBound
      #expect(store.gradients[share].elementsEqual(whole.gradients[share]))
      largest = max(largest, update.bytes)
    }
    #expect(next == whole.trainedCount)
    #expect(work.bytes(ranks: ranks) == largest && largest > 0)
    #expect(ranks == 1 ? work.largestShare(ranks: 1) == 1 : work.largestShare(ranks: ranks) < 1)
  }

  /// Ranks have about as much to do.
  @Test func sharesOfANetwork() throws {
    for (kind, ranks) in [(NetworkKind.mobilefacenet, 4), (.iresnet50, 4)] {
      let work = try #require(
        NetworkFootprint(kind, embeddingWidth: 256, optimizer: .muon(Muon()), batch: 1, threads: 1).matrixWork)
      #expect(work.largestShare(ranks: ranks) < 1.7 / Double(ranks), "\(kind)")
    }
    // That over the last map of 7 x 7 is too long, that over one of 3 x 3 is not.
    for (columns, isMatrix) in [(512 * 49, false), (512 * 9, true)] {
      #expect(Muon.isMatrix(Parameter("fc.weight", [512, columns], .constant(0))) == isMatrix)
    }
    #expect(NetworkFootprint(.mobilefacenet, optimizer: .adamW(AdamW()), batch: 1, threads: 1).matrixWork == nil)
  }
}
