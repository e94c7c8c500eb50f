import NeuralNetwork
import Testing

/// Winograd's convolutions in all three directions against direct sums in Double.
@Suite(.serialized) struct WinogradTests {
  private struct Case: CustomTestStringConvertible {
    let inputs: Int
    let outputs: Int
    let height: Int
    let width: Int
    let images: Int
    var testDescription: String { "\(inputs) to \(outputs), \(height) x \(width), \(images) images" }
  }

  /// Sides that leave 0, 1, 2 and 3 over, one tile alone, several blocks of tiles.
  private static let cases = [
    Case(inputs: 32, outputs: 64, height: 2, width: 2, images: 3),
    Case(inputs: 64, outputs: 32, height: 4, width: 4, images: 2),
    Case(inputs: 96, outputs: 64, height: 7, width: 7, images: 9),
    Case(inputs: 32, outputs: 32, height: 13, width: 15, images: 3),
    Case(inputs: 64, outputs: 96, height: 14, width: 6, images: 7),
    Case(inputs: 32, outputs: 32, height: 28, width: 28, images: 2),
  ]

  private struct Values {
    var y: [Double]
    /// Of the weight and of the bias, and of the identity before them: dx x' summed over images and positions.
    var gradients: [[Double]]
  }

  /// A 1 x 1 convolution that copies, so that the layer behind it has an input's gradient to make.
  private static func network(_ layer: Case) -> Network {
    var graph = Graph(input: .image(layer.inputs, layer.height, layer.width, .plain))
    let copy = graph.add(
      Convolution("copy", inputs: layer.inputs, outputs: layer.inputs, kernel: 1, initializer: .constant(0)),
      graph.input
    )
    let convolution = Convolution(
      "layer", inputs: layer.inputs, outputs: layer.outputs, kernel: 3, padding: 1, bias: true,
      initializer: .uniformFanIn(9 * layer.inputs))
    _ = graph.add(Flatten("flatten"), graph.add(convolution, copy))
    let network = Network("winograd", graph)
    network.initialize(seed: 2)
    let identity = parameter(network, "copy.weight").value
    for channel in 0..<layer.inputs { identity[channel * (layer.inputs + 1)] = 1 }
    var generator = SplitMix(seed: 7)
    let bias = parameter(network, "layer.bias").value
    for i in bias.indices { bias[i] = generator.float(in: -1...1) }
    network.weightsChanged()
    return network
  }

  private static func parameter(_ network: Network, _ name: String) -> Parameter {
    network.parameters.parameters.first { $0.name == name }!
  }

  /// Positive for the most part, as behind a PReLU.
  private static func images(_ count: Int, seed: UInt64) -> [Float] {
    var generator = SplitMix(seed: seed)
    return (0..<count).map { _ in generator.float(in: -0.25...1) }
  }

  private static func compute(_ network: Network, _ layer: Case, _ x: [Float], _ dy: [Float]) -> Values {
    network.parameters.zeroGradients()
    let pass = network.pass(batch: layer.images, .training)
    #expect(pass.implementations.filter { $0.hasPrefix("winograd:F(4x4,3x3)") }.count == 3, "\(pass.implementations)")
    _ = pass.input.buffer.update(fromContentsOf: x)
    pass.forward()
    let y = pass.output.buffer.map(Double.init)
    _ = pass.outputGradient.buffer.update(fromContentsOf: dy)
    pass.backward { _ in }
    let gradients = ["layer.weight", "layer.bias", "copy.weight"].map {
      parameter(network, $0).gradient.map(Double.init)
    }
    return Values(y: y, gradients: gradients)
  }

  private static func expected(_ network: Network, _ layer: Case, _ x: [Float], _ dy: [Float]) -> Values {
    let (c, o, h, w) = (layer.inputs, layer.outputs, layer.height, layer.width)
    let area = h * w
    let weight = parameter(network, "layer.weight").value.map(Double.init)
    let bias = parameter(network, "layer.bias").value.map(Double.init)
    let (x, dy) = (x.map(Double.init), dy.map(Double.init))
    var y = [Double](repeating: 0, count: dy.count)
    var dx = [Double](repeating: 0, count: x.count)
    var (dw, db) = ([Double](repeating: 0, count: weight.count), [Double](repeating: 0, count: o))
    for image in 0..<layer.images {
      for output in 0..<o {
        let to = (image * o + output) * area
        for i in 0..<area {
          y[to + i] = bias[output]
          db[output] += dy[to + i]
        }
        for input in 0..<c {
          let from = (image * c + input) * area
          for tap in 0..<9 {
            let (row, column) = (tap / 3 - 1, tap % 3 - 1)
            let place = (output * c + input) * 9 + tap
            for i in max(0, -row)..<min(h, h - row) {
              for j in max(0, -column)..<min(w, w - column) {
                let (a, b) = (from + (i + row) * w + j + column, to + i * w + j)
                y[b] += weight[place] * x[a]
                dx[a] += weight[place] * dy[b]
                dw[place] += x[a] * dy[b]
              }
            }
          }
        }
      }
    }
    var copy = [Double](repeating: 0, count: c * c)
    for image in 0..<layer.images {
      for row in 0..<c {
        for column in 0..<c {
          let (a, b) = ((image * c + row) * area, (image * c + column) * area)
          for i in 0..<area { copy[row * c + column] += dx[a + i] * x[b + i] }
        }
      }
    }
    return Values(y: y, gradients: [dw, db, copy])
  }

  /// The root mean square of the difference beside that of what is expected.
  private static func distance(_ values: [Double], _ expected: [Double]) -> Double {
    func square(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 } }
    return (square(zip(values, expected).map { $0 - $1 }) / square(expected)).squareRoot()
  }

  /// A sum of n roundings of 2^-24 of a Float, n = 300 to 900 terms of about the same size, is off by some 2^-24 sqrt(n) / 4
  /// or 4e-7; the points of F(4 x 4) multiply that by up to 5. A vector that is missing at one border is off by 1e-2.
  private static let bound = 2e-6

  @Test(arguments: cases) private func directSums(_ layer: Case) {
    let network = Self.network(layer)
    let area = layer.height * layer.width
    let x = Self.images(layer.images * layer.inputs * area, seed: 3)
    let dy = Self.images(layer.images * layer.outputs * area, seed: 4).map { $0 - 0.4 }
    var expected = Self.expected(network, layer, x, dy)
    let before = Parallel.threads
    defer { Parallel.setThreads(before) }
    var results: [Values] = []
    for threads in [1, 2, 3] {
      Parallel.setThreads(threads)
      results.append(Self.compute(network, layer, x, dy))
    }
    func distances() -> [Double] {
      [Self.distance(results[0].y, expected.y)] + zip(results[0].gradients, expected.gradients).map(Self.distance)
    }
    for (distance, name) in zip(distances(), ["y", "weight", "bias", "input"]) {
      #expect(distance < Self.bound, "\(name): \(distance)")
    }
    // Which thread computes a tile, and in which block, makes no difference. (The copy's gradient is oneDNN's.)
    for result in results.dropFirst() {
      #expect(result.y == results[0].y)
      #expect(result.gradients[0] == results[0].gradients[0])
    }
    // One tap of one pair of channels wrong by a hundredth of the others would be seen, as would one output.
    expected.y[expected.y.count - 1] += 0.01 * expected.y.map(abs).max()!
    let last = expected.gradients[0].count - 1
    expected.gradients[0][last] += 0.01 * expected.gradients[0].map(abs).max()!
    #expect(distances()[0] > Self.bound && distances()[1] > Self.bound)
  }
}
