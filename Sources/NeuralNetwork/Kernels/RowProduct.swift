import VectorKernels

/// M = images, K = outputs, D = inputs.  x (M, D)   W (K, D)   y (M, K) = x W^T + b
///
/// The bits of a row of y depend on its row of x and on W alone: neither on M, nor on the row's place, nor on the threads.
/// So equal images get equal embeddings.
///
/// W passes once from memory, and with each four rows of it the x of all images from the cache, a range of D at a time.
enum RowProduct {
  /// Rows of W and of x in a tile.
  private static let tile = (outputs: 4, samples: 3)
  /// Values of a row whose products are summed before they are added to y: 32 rows of x, 128 KB, stay in the cache.
  private static let depth = 1024

  static func multiply(
    _ images: Int, _ outputCount: Int, _ inputs: Int, _ x: UnsafePointer<Float>, _ weight: UnsafePointer<Float>,
    bias: UnsafePointer<Float>?, into y: UnsafeMutablePointer<Float>
  ) {
    let kernels = Kernels.chosen
    Parallel.ranges((outputCount + tile.outputs - 1) / tile.outputs) { groups in
      let outputs = (groups.lowerBound * tile.outputs)..<min(groups.upperBound * tile.outputs, outputCount)
      for sample in 0..<images {
        for k in outputs { y[sample &* outputCount &+ k] = bias?[k] ?? 0 }
      }
      withUnsafeTemporaryAllocation(of: Float.self, capacity: tile.outputs * tile.samples) { products in
        for start in stride(from: 0, to: inputs, by: depth) {
          let count = min(depth, inputs - start)
          for k in stride(from: outputs.lowerBound, to: outputs.upperBound, by: tile.outputs) {
            let rows = min(tile.outputs, outputCount - k)
            for sample in stride(from: 0, to: images, by: tile.samples) {
              let samples = min(tile.samples, images - sample)
              kernels.innerProducts(
                count, weight + (k &* inputs &+ start), strideA: inputs, rowsA: rows,
                x + (sample &* inputs &+ start), strideB: inputs, rowsB: samples, into: products.baseAddress!)
              for i in 0..<rows {
                for j in 0..<samples { y[(sample &+ j) &* outputCount &+ k &+ i] += products[i &* tile.samples &+ j] }
              }
            }
          }
        }
      }
    }
  }
}
