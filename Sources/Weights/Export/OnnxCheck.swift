import Foundation
package import NeuralNetwork
import VectorKernels

/// How far an ONNX file's arithmetic is from the network's, on made-up images: the file is read from the disk and computed
/// operator by operator.
package struct OnnxCheck: CustomStringConvertible {
  /// Images of random pixels.
  static let imageCount = 2
  /// Of the largest value; rounding alone stays far below.
  static let tolerance: Float = 1e-4

  let path: String
  /// Greatest difference between a value of the file's embeddings and the network's.
  package let difference: Float
  /// The greatest of the network's values.
  package let largest: Float

  /// - Throws: `ExportError` where the file cannot be computed, or a value is not finite.
  package init(of path: String, against network: Network, _ options: OnnxOptions) throws {
    self.path = path
    let side = network.inputShape.height
    var generator = CounterGenerator(seed: 1, purpose: .order)
    let pixels = (0..<Self.imageCount * 3 * side * side).map { _ in Float(UInt8(truncatingIfNeeded: generator.next())) }
    let images = pixels.map { ($0 - 127.5) / 127.5 }

    let pass = network.pass(batch: Self.imageCount, .evaluation)
    _ = pass.input.buffer.update(fromContentsOf: images)
    pass.forward()
    var expected = Array(pass.output.buffer)
    if options.normalizes {
      let width = network.embeddingWidth
      for row in 0..<Self.imageCount {
        let range = (row * width)..<((row + 1) * width)
        let norm = (expected[range].reduce(0) { $0 + Double($1) * Double($1) } + L2Normalize.epsilon).squareRoot()
        for i in range { expected[i] = Float(Double(expected[i]) / norm) }
      }
    }
    let input = OnnxInterpreter.Value(
      shape: [Self.imageCount, 3, side, side], values: options.embedsPreprocessing ? pixels : images)
    let found = try OnnxInterpreter(path: path).run(input)
    guard found.shape == [Self.imageCount, network.embeddingWidth] else {
      throw ExportError(path, "its embeddings have shape \(found.shape)")
    }
    guard (expected + found.values).allSatisfy(\.isFinite) else {
      throw ExportError(
        path, "the embeddings of made-up images hold values that are not finite: train the network anew")
    }
    difference = zip(expected, found.values).map { abs($0 - $1) }.max() ?? 0
    largest = expected.map(abs).max() ?? 0
  }

  package func requireAgreement() throws(ExportError) {
    guard difference <= Self.tolerance * largest else {
      throw ExportError(path, "read back, it does not compute what the network does: \(self)")
    }
  }

  package var description: String {
    "read back and computed by its own operators: at most \(Self.short(difference)) from the network's embeddings, whose "
      + "largest value is \(Self.short(largest)), over \(Self.imageCount) made-up images"
  }

  private static func short(_ value: Float) -> String { String(format: "%.2g", value) }
}
