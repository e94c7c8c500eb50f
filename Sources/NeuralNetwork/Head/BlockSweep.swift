import VectorKernels

/// Walks through the rows of a step on all threads, in blocks that stay in a core's cache, and multiplies them with the
/// embeddings.
///
/// M = samples, N = rows of the step, N' = rows of a block, K = embedding width.  e (M, K), W' (N, K)
///
///     logits^T = W' (gamma e)^T        forward: 2 N M K operations
///     de^T = W'^T (gamma dlogits)^T    backward: the same
///     dW = gamma dlogits^T e           backward: the same, of a tile of 6 rows at a time
final class BlockSweep {
  private let width: Int
  private let capacity: Int
  private var sampleCount = 0
  /// Whether backward makes de.
  private var wantsEmbeddingGradient = true
  /// gamma e^T (K, M) in panels of `TileProduct.columns` samples: panel, k, sample.
  private let scaledColumns: AlignedMemory
  /// e (M, K) in panels of as many columns: panel, sample, k.
  private let columnPanels: AlignedMemory
  /// One per thread.
  private(set) var workspaces: [HeadWorkspace] = []

  /// For at most `capacity` samples.
  init(width: Int, capacity: Int) {
    (self.width, self.capacity) = (width, capacity)
    scaledColumns = AlignedMemory(count: width * TileProduct.padded(capacity))
    columnPanels = AlignedMemory(count: TileProduct.padded(width) * capacity)
    makeWorkspaces()
  }

  var bytes: Int { scaledColumns.bytes + columnPanels.bytes + workspaces.reduce(0) { $0 + $1.bytes } }

  /// Allocates only where the pool has grown since the last call.
  private func makeWorkspaces() {
    while workspaces.count < Parallel.threads {
      workspaces.append(HeadWorkspace(width: width, capacity: TileProduct.padded(capacity)))
    }
  }

  /// Before a forward pass: lays out e for both products, gamma e^T in panels of samples, e in panels of columns.
  func begin(_ embeddings: UnsafePointer<Float>, count m: Int, gamma: Double) {
    makeWorkspaces()
    sampleCount = m
    let (panel, gamma) = (TileProduct.columns, Float(gamma))
    let columns = scaledColumns.elements.baseAddress!
    for sample in 0..<TileProduct.padded(m) {
      let start = columns + sample / panel * width * panel + sample % panel
      for k in 0..<width { start[k * panel] = sample < m ? gamma * embeddings[sample * width + k] : 0 }
    }
    let rows = columnPanels.elements.baseAddress!
    for first in stride(from: 0, to: width, by: panel) {
      for sample in 0..<m {
        let start = rows + first * m + sample * panel
        for k in 0..<panel { start[k] = first + k < width ? embeddings[sample * width + first + k] : 0 }
      }
    }
  }

  /// Computes the logits of all rows and hands them to `softmax`, block by block.
  func forward(_ classWeight: ClassWeight, _ softmax: MarginSoftmax) {
    for workspace in workspaces { workspace.clearStatistics() }
    classWeight.readAll { writingBack in
      forBlocks(of: classWeight, 0..<classWeight.activeCount, writingBack: writingBack) { rows, workspace in
        computeLogits(of: rows, workspace, into: softmax.logits(from: rows.lowerBound))
        softmax.take(rows, workspace)
      }
    }
  }

  /// Before `backward` of the first rows; `makesEmbeddingGradient` false leaves de out.
  func beginBackward(makesEmbeddingGradient: Bool) {
    wantsEmbeddingGradient = makesEmbeddingGradient
    guard makesEmbeddingGradient else { return }
    Parallel.ranges(workspaces.count) { range in
      for index in range { workspaces[index].embeddingGradient.elements.update(repeating: 0) }
    }
  }

  /// Adds to de what `rows` give; `use` gets each row's place, W' and dW (K each, in the cache), on that row's thread.
  func backward(
    _ classWeight: ClassWeight, _ softmax: MarginSoftmax, _ rows: Range<Int>,
    _ use: (_ place: Int, _ current: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>) -> Void
  ) {
    let (tile, paddedWidth) = (TileProduct.rows, TileProduct.padded(width))
    forBlocks(of: classWeight, rows, writingBack: false) { rows, workspace in
      let gradients = workspace.rowGradients.elements.baseAddress!
      softmax.computeGradients(of: rows, workspace)
      if wantsEmbeddingGradient { addEmbeddingGradient(of: rows, workspace) }
      for first in stride(from: 0, to: rows.count, by: tile) {
        computeRowGradients(first, workspace)
        for row in first..<min(first + tile, rows.count) {
          use(
            rows.lowerBound + row, workspace.rows.elements.baseAddress! + row * workspace.rowStride,
            gradients + (row - first) * paddedWidth)
        }
      }
    }
  }

  /// Writes de (M, K): sums the threads' parts, in their order, and turns them round.
  func gatherEmbeddingGradient(into gradient: UnsafeMutablePointer<Float>) {
    let samples = TileProduct.padded(sampleCount)
    nonisolated(unsafe) let gradient = gradient
    Parallel.ranges(sampleCount) { range in
      for sample in range {
        for k in 0..<width {
          var sum: Float = 0
          for thread in workspaces { sum += thread.embeddingGradient.elements[k &* samples &+ sample] }
          gradient[sample &* width &+ k] = sum
        }
      }
    }
  }

  /// Calls `body` for each block of `rows`, on all threads, with W' of the block and zeros up to the next whole tile in its
  /// thread's workspace. A thread has whole tiles, counted from the first row.
  private func forBlocks(
    of classWeight: ClassWeight, _ rows: Range<Int>, writingBack: Bool, _ body: (Range<Int>, HeadWorkspace) -> Void
  ) {
    let tile = TileProduct.rows
    Parallel.run { part, parts in
      let workspace = workspaces[part]
      let block = workspace.rows.elements.baseAddress!
      let tiles = Share.range(of: TileProduct.tiled(rows.count) / tile, part, parts)
      let end = min(rows.lowerBound + tiles.upperBound * tile, rows.upperBound)
      for first in stride(from: rows.lowerBound + tiles.lowerBound * tile, to: end, by: workspace.blockRows) {
        let rows = first..<min(first + workspace.blockRows, end)
        classWeight.load(rows, into: block, stride: workspace.rowStride, writingBack: writingBack)
        for index in rows.count..<TileProduct.tiled(rows.count) {
          (block + index * workspace.rowStride).update(repeating: 0, count: width)
        }
        body(rows, workspace)
      }
    }
  }

  /// logits^T = W' (gamma e)^T, 6 rows by a panel of samples at a time.
  private func computeLogits(
    of rows: Range<Int>, _ workspace: HeadWorkspace, into result: UnsafeMutablePointer<Float>
  ) {
    let samples = TileProduct.padded(sampleCount)
    let (tile, panel, depth) = (TileProduct.rows, TileProduct.columns, TileProduct.depth)
    let block = workspace.rows.elements.baseAddress!
    for first in stride(from: 0, to: samples, by: panel) {
      let columns = scaledColumns.elements.baseAddress! + first * width
      for k in stride(from: 0, to: width, by: depth) {
        for row in stride(from: 0, to: rows.count, by: tile) {
          Kernels.chosen.multiplyRows(
            steps: min(depth, width - k), block + row * workspace.rowStride + k, rowStride: workspace.rowStride,
            columns + k * panel, stepStride: panel, adding: k > 0, into: result + row * samples + first,
            leading: samples)
        }
      }
    }
  }

  /// de^T += W'^T (gamma dlogits)^T, 6 columns of W' by a panel of samples at a time.
  private func addEmbeddingGradient(of rows: Range<Int>, _ workspace: HeadWorkspace) {
    let samples = TileProduct.padded(sampleCount)
    let block = workspace.rows.elements.baseAddress!
    let factors = workspace.logitGradients.elements.baseAddress!
    let result = workspace.embeddingGradient.elements.baseAddress!
    for first in stride(from: 0, to: samples, by: TileProduct.columns) {
      for k in stride(from: 0, to: width, by: TileProduct.rows) {
        Kernels.chosen.multiplyColumns(
          steps: rows.count, block + k, columnStride: workspace.rowStride, factors + first,
          stepStride: workspace.logitStride, adding: true, into: result + k * samples + first, leading: samples)
      }
    }
  }

  /// dW = gamma dlogits^T e of the tile of rows from `first`, into the first-level cache.
  private func computeRowGradients(_ first: Int, _ workspace: HeadWorkspace) {
    let (panel, paddedWidth) = (TileProduct.columns, TileProduct.padded(width))
    let factors = workspace.logitGradients.elements.baseAddress! + first * workspace.logitStride
    let embeddings = columnPanels.elements.baseAddress!
    let result = workspace.rowGradients.elements.baseAddress!
    for k in stride(from: 0, to: width, by: panel) {
      Kernels.chosen.multiplyRows(
        steps: sampleCount, factors, rowStride: workspace.logitStride, embeddings + k * sampleCount,
        stepStride: panel, adding: false, into: result + k, leading: paddedWidth)
    }
  }
}
