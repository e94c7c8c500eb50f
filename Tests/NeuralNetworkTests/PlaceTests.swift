import Testing

import NeuralNetwork

/// Equal images have equal embeddings, to the bit: whatever their place in the batch, its size and the threads.
@Suite(.serialized) struct PlaceTests {
  private static func onThreads<R>(_ count: Int, _ body: () -> R) -> R {
    let before = Parallel.threads
    Parallel.setThreads(count)
    defer { Parallel.setThreads(before) }
    return body()
  }

  private static func bits(_ values: some Sequence<Float>) -> [UInt32] { values.map(\.bitPattern) }

  /// One image among others, at each place in turn of a batch; the deeper IResNets are made of the same blocks.
  @Test(arguments: [NetworkKind.mobilefacenet, .mobilefacenetX2, .iresnet18, .spherenet20])
  func embeddingsDependOnTheImageAlone(_ kind: NetworkKind) {
    let (side, width) = (48, 64)
    let network = kind.makeNetwork(embeddingWidth: width, inputSide: side)
    network.initialize(seed: 3)
    var generator = SplitMix(seed: 9)
    let size = 3 * side * side
    let images = (0..<3).map { _ in (0..<size).map { _ in generator.float(in: -1...1) } }
    var expected: [[UInt32]?] = [nil, nil, nil]
    for threads in [1, 2] {
      Self.onThreads(threads) {
        for batch in [1, 2, 7, 32] {
          let pass = network.pass(batch: batch, .evaluation)
          for turn in 0..<(threads == 1 && batch < 32 ? 3 : 1) {
            for place in 0..<batch {
              _ = pass.input.buffer[(place * size)...].update(fromContentsOf: images[(place + turn) % 3])
            }
            pass.forward()
            for place in 0..<batch {
              let row = Self.bits(pass.output.buffer[(place * width)..<((place + 1) * width)])
              let image = (place + turn) % 3
              expected[image] = expected[image] ?? row
              #expect(row == expected[image], "image \(image) at \(place) of \(batch), \(threads) threads")
            }
          }
        }
      }
    }
    #expect(expected[0] != expected[1] && expected[1] != expected[2])
  }

  /// Widths and depths that fill no tile and no vector, with the value of Double's sums.
  @Test(arguments: [(1, 1), (5, 13), (64, 512), (18, 1024), (7, 2600)])
  func rowsOfAProductDependOnTheirRowAlone(_ outputs: Int, _ inputs: Int) {
    var graph = Graph(input: .features(inputs))
    _ = graph.add(
      FullyConnected("fc", inputs: inputs, outputs: outputs, bias: .constant(0.25), initializer: .uniformFanIn(inputs)),
      graph.input)
    let network = Network("product", graph)
    network.initialize(seed: 4)
    var generator = SplitMix(seed: 2)
    let x = (0..<inputs).map { _ in generator.float(in: -1...1) }
    let weight = network.parameters.parameters.first { $0.shape.count == 2 }!.value
    let exact = (0..<outputs).map { k in
      (0..<inputs).reduce(0.25) { $0 + Double(x[$1]) * Double(weight[k * inputs + $1]) }
    }
    var expected: [UInt32]?
    for threads in [1, 3] {
      Self.onThreads(threads) {
        for batch in [1, 2, 3, 4, 17] {
          let pass = network.pass(batch: batch, .evaluation)
          for i in pass.input.buffer.indices { pass.input.buffer[i] = x[i % inputs] }
          pass.forward()
          for place in 0..<batch {
            let row = Array(pass.output.buffer[(place * outputs)..<((place + 1) * outputs)])
            expected = expected ?? Self.bits(row)
            #expect(Self.bits(row) == expected, "place \(place) of \(batch), \(threads) threads")
            for k in 0..<outputs { #expect(abs(Double(row[k]) - exact[k]) < 1e-6) }
          }
        }
      }
    }
  }
}
