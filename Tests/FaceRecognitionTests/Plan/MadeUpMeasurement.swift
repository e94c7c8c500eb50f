import Foundation
import Planning

/// A measurement as a plan's file holds it, with costs whose results can be worked out.
enum MadeUpMeasurement {
  /// `chains` of the backward pass with so many gradients each; seconds of a row, and more for each sample.
  static func make(
    embedding: Int = 512, batchSize: Int, chains: Int, chainSeconds: Double, gradients: Int,
    forward: (row: Double, sample: Double), backward: (row: Double, sample: Double),
    fused: (row: Double, sample: Double),
    update: Double, renormalize: Double, copy: Double = 1e300, programBytes: Int
  ) -> ComputeMeasurement {
    func cost(_ cost: (row: Double, sample: Double)) -> String { "{\"row\": \(cost.row), \"sample\": \(cost.sample)}" }
    let chain = "{\"seconds\": \(chainSeconds), \"gradients\": \(gradients)}"
    let text = """
      {"network": "mobilefacenet", "inputSide": 48, "embedding": \(embedding), "batchSize": \(batchSize),
       "threads": 1, "ranks": 1, "forwardSeconds": 0.1, "updateSeconds": 0.005,
       "backward": [\(Array(repeating: chain, count: chains).joined(separator: ", "))],
       "classifierForward": \(cost(forward)), "classifierBackward": \(cost(backward)),
       "classifierFused": \(cost(fused)), "classifierUpdate": \(cost((update, 0))),
       "renormalizeSecondsPerRow": \(renormalize), "copyBytesPerSecond": \(copy), "programBytes": \(programBytes)}
      """
    do {
      return try JSONDecoder().decode(ComputeMeasurement.self, from: Data(text.utf8))
    } catch { fatalError("\(error)") }
  }
}
