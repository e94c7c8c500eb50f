import VectorKernels

/// What one thread of the classifier works in: a block of class rows and what belongs to it, sized for its own cache.
///
/// N' = rows of a block, M = samples padded to whole panels, K = embedding width.
final class HeadWorkspace {
  /// N': W' of a block takes about 190 KB, less than half of a core's second-level cache.
  let blockRows: Int
  /// Distance of the block's rows: an odd number of cache lines, so that a column of the block spreads over all sets.
  let rowStride: Int
  /// Distance of the rows of `logitGradients`, odd in cache lines for the same reason, at `capacity`.
  let logitStride: Int

  /// W' (N', K)
  let rows: AlignedMemory
  /// gamma dlogits (N', M)
  let logitGradients: AlignedMemory
  /// dW of one tile of rows (6, K)
  let rowGradients: AlignedMemory
  /// This thread's part of de, transposed (K, M)
  let embeddingGradient: AlignedMemory
  /// Running maximum of each sample's logits (M).
  let maxima: AlignedMemory
  /// Running sum of exponentials relative to the maximum (M). Double: a Float sum of a million terms loses digits.
  let sums: UnsafeMutablePointer<Double>

  init(width: Int, capacity: Int) {
    let tiledWidth = TileProduct.tiled(width)
    rowStride = Self.oddLines(tiledWidth)
    logitStride = Self.oddLines(capacity)
    blockRows = Self.blockRows(rowStride: rowStride)
    rows = AlignedMemory(count: blockRows * rowStride)
    logitGradients = AlignedMemory(count: blockRows * logitStride)
    rowGradients = AlignedMemory(count: TileProduct.rows * TileProduct.padded(width))
    embeddingGradient = AlignedMemory(count: tiledWidth * capacity)
    maxima = AlignedMemory(count: capacity)
    sums = .allocate(capacity: max(capacity, 1))
  }

  deinit { sums.deallocate() }

  /// Before each forward pass, of all threads: one without rows takes no part in the sums.
  func clearStatistics() {
    maxima.elements.update(repeating: -.infinity)
    sums.update(repeating: 0, count: maxima.elements.count)
  }

  var bytes: Int {
    [rows, logitGradients, rowGradients, embeddingGradient, maxima].reduce(0) { $0 + $1.bytes }
  }

  /// What `bytes` will be, without making one.
  static func bytes(width: Int, capacity: Int) -> Int {
    let tiledWidth = TileProduct.tiled(width)
    let rowStride = oddLines(tiledWidth)
    let floats =
      blockRows(rowStride: rowStride) * (rowStride + oddLines(capacity)) + TileProduct.rows * TileProduct.padded(width)
      + tiledWidth * capacity + capacity
    return MemoryLayout<Float>.stride * floats
  }

  private static func blockRows(rowStride: Int) -> Int {
    let tile = TileProduct.rows
    return max(1, min(32, 49_152 / rowStride / tile)) * tile
  }

  /// The least odd number of cache lines that holds `count` Floats, in Floats.
  private static func oddLines(_ count: Int) -> Int {
    let line = 16
    return ((count + line - 1) / line | 1) * line
  }
}

extension TileProduct {
  /// Rounds up to whole tiles of rows.
  static func tiled(_ rows: Int) -> Int { (rows + Self.rows - 1) / Self.rows * Self.rows }

  /// Rounds up to whole panels of columns.
  static func padded(_ count: Int) -> Int { (count + columns - 1) / columns * columns }
}
