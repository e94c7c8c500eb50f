import VectorKernels

/// The large margin cosine loss (LMCL, CosFace) over a range of the classes, softmax cross-entropy included.
///
/// M = samples, N = classes here, K = embedding width.  e (M, K) of length 1   W (N, K) class weight   y (M) labels
///
///     W' = f W                          rows of the norm `scale`: see +Projection
///     logits = gamma e W'^T             at the label gamma * scale * t, t = `Margin` of the cosine: c - m for CosFace
///     loss = sum of -ln softmax(logits)[y] / count        count = samples of ALL ranks in the step
///     dlogits = (softmax - onehot(y)) / count        at the label times dt/dc, which is 1 for CosFace
///     de = gamma dlogits W'             dW = gamma dlogits^T e        projection and scale are constants of the step
///
/// Replicated, the range is 0..<classCount. Sharded, it is this rank's, e and y are those of all ranks, and
/// `SoftmaxReductions` join the pieces; de is then this rank's part of a sum over the ranks.
///
/// Sampled (PartialFC: An et al. 2021), a step knows only the rows that `select` names: softmax, gradient, update and
/// projection are over these, and the others keep their values and states.
///
/// W is streamed in blocks of rows that stay in the cache. A fused step (one rank, no clipping, no accumulation) reads W
/// twice and its optimizer's state once, writes both once, and holds no gradient: with SGD's momentum 5 passes of N * K over
/// the memory bus.
package final class LargeMarginCosineLoss {
  package let classes: Range<Int>
  package let classCount: Int
  package let width: Int
  /// The largest M.
  package let capacity: Int
  package let margin: Margin
  package let logitScale: LogitScale
  /// (N, K). Call `materialize()` before its value is read by anything but this class.
  package let classWeight: Parameter
  package let store: ParameterStore

  /// The norm of all rows of W', the mean of their norms before; 0 until the first `apply(scale:)`.
  package internal(set) var scale = 0.0
  /// Whether the rows in memory have yet to be multiplied with their factors.
  package internal(set) var isPending = false
  /// How many rows' norms were gathered since W was last changed otherwise.
  var currentNorms = 0
  var hasCurrentNorms: Bool { currentNorms == rowCount }

  /// Whether a step computes with some of the rows. Then a row is projected whenever a step takes it up, from the norm
  /// that it has in memory, and factors are never pending.
  package let isSampled: Bool
  /// Rows of the step, ascending, where it is sampled.
  var activeRows: [Int32]?
  /// How many rows a step computes with.
  package var activeCount: Int { activeRows?.count ?? rowCount }

  package var gamma: Double { logitScale.gamma(rowNorm: scale) }
  package var rowCount: Int { classes.count }

  // One value per row of W.
  let normMemory: AlignedMemory
  let factorMemory: AlignedMemory

  // Of the last forward. M is padded to whole panels with samples of zeros that count nowhere.
  var sampleCount = 0
  var totalCount = 0
  /// gamma * scale: the logit of cosine 1.
  var forwardLogitScale = 0.0
  /// Row of W of each sample's label, -1 where another rank holds it.
  var labelRows: [Int]
  /// gamma e^T (K, M) in panels of `TileProduct.columns` samples: panel, k, sample.
  let scaledColumns: AlignedMemory
  /// e (M, K) in panels of as many columns: panel, sample, k.
  let columnPanels: AlignedMemory
  /// (N, M), N the rows of a step: transposed, so that a block of classes is one piece and a vector holds samples.
  var logits: AlignedMemory
  /// Cosine per sample with its class, and the slope of the margin there, where the row is here.
  let labelCosines: AlignedMemory
  let labelSlopes: AlignedMemory
  /// The largest logit per sample.
  let maxima: AlignedMemory
  /// gamma / (count * sum of exponentials) per sample, 0 for padding: turns an exponential into gamma * dlogits.
  let exponentialFactors: AlignedMemory
  /// M sums of exponentials, then M logits of the labels.
  let sums: UnsafeMutableBufferPointer<Double>
  var workspaces: [HeadWorkspace] = []

  /// `holdsGradient` false leaves out the gradient: only `backward(into:updatingWith:)` works then.
  ///
  /// `sampledRows`: each step computes with those that `select` names, about so many at most.
  package init(
    classes: Range<Int>, of classCount: Int, width: Int, capacity: Int, margin: Margin, logitScale: LogitScale,
    holdsGradient: Bool, sampledRows: Int? = nil
  ) {
    precondition(!holdsGradient || sampledRows == nil, "A gradient of sampled rows is not held")
    isSampled = sampledRows != nil
    precondition(
      !classes.isEmpty && classes.lowerBound >= 0 && classes.upperBound <= classCount,
      "Classes \(classes) of \(classCount)")
    precondition(width > 0 && capacity >= 0, "Embeddings of width \(width) for a batch of \(capacity)")
    self.classes = classes
    self.classCount = classCount
    self.width = width
    self.capacity = capacity
    self.margin = margin
    self.logitScale = logitScale
    classWeight = Parameter(
      "classWeight", [classes.count, width], .xavierNormal(fanIn: width, fanOut: classCount))
    store = ParameterStore([classWeight], gradients: holdsGradient)

    let padded = Self.padded(capacity)
    let tiledRows = Self.tiled(min(sampledRows ?? classes.count, classes.count))
    normMemory = AlignedMemory(count: classes.count)
    factorMemory = AlignedMemory(count: classes.count)
    labelRows = Array(repeating: -1, count: capacity)
    scaledColumns = AlignedMemory(count: width * padded)
    columnPanels = AlignedMemory(count: Self.padded(width) * capacity)
    logits = AlignedMemory(count: tiledRows * padded)
    labelCosines = AlignedMemory(count: capacity)
    labelSlopes = AlignedMemory(count: capacity)
    maxima = AlignedMemory(count: padded)
    exponentialFactors = AlignedMemory(count: padded)
    sums = .allocate(capacity: 2 * capacity)
    sums.initialize(repeating: 0)
    makeWorkspaces()
  }

  deinit { sums.deallocate() }

  /// Fills W for the whole run; rows are the same however the classes are divided. Normalize next.
  package func initialize(seed: UInt64) {
    classWeight.initializer.fill(
      classWeight.value, seed: seed, name: classWeight.name, offset: classes.lowerBound * width)
    valueChanged()
  }

  /// Bytes of everything held here, for the memory report: W, its gradient and states, logits, buffers.
  package var bytes: Int {
    let memories = [
      normMemory, factorMemory, scaledColumns, columnPanels, logits, labelCosines, labelSlopes, maxima,
      exponentialFactors,
    ]
    return store.bytes + memories.reduce(0) { $0 + $1.bytes } + workspaces.reduce(0) { $0 + $1.bytes }
  }

  /// Rounds up to whole tiles of rows.
  static func tiled(_ rows: Int) -> Int { (rows + TileProduct.rows - 1) / TileProduct.rows * TileProduct.rows }

  /// Rounds up to whole panels.
  static func padded(_ count: Int) -> Int {
    (count + TileProduct.columns - 1) / TileProduct.columns * TileProduct.columns
  }

  /// One workspace per thread. Allocates only where the pool has grown since the last call.
  func makeWorkspaces() {
    while workspaces.count < Parallel.threads {
      workspaces.append(HeadWorkspace(width: width, capacity: Self.padded(capacity)))
    }
  }

  /// The rows of the part-th of `parts` threads within `rows`: whole tiles, counted from the first row.
  func share(of rows: Range<Int>, _ part: Int, _ parts: Int) -> Range<Int> {
    let tile = TileProduct.rows
    let tiles = Share.range(of: (rows.count + tile - 1) / tile, part, parts)
    let start = rows.lowerBound + tiles.lowerBound * tile
    return min(start, rows.upperBound)..<min(rows.lowerBound + tiles.upperBound * tile, rows.upperBound)
  }

  /// Calls `body` for each block of rows that fits a core's cache.
  func forBlocks(of rows: Range<Int>, _ workspace: HeadWorkspace, _ body: (Range<Int>) -> Void) {
    var start = rows.lowerBound
    while start < rows.upperBound {
      let end = min(start + workspace.blockRows, rows.upperBound)
      body(start..<end)
      start = end
    }
  }

  /// Puts W' of a block into the workspace: the one read from memory. Rows up to the next whole tile are zeros. `rows`
  /// counts the rows of the step.
  ///
  /// A pending factor is applied on the way, the same single multiplication per element as `materialize()`'s.
  func load(_ rows: Range<Int>, into workspace: HeadWorkspace, writingBack: Bool) {
    let values = classWeight.value.baseAddress!
    let block = workspace.rows.elements.baseAddress!
    for index in 0..<rows.count {
      let copy = block + index * workspace.rowStride
      if let activeRows {
        let number = Int(activeRows[rows.lowerBound + index])
        let factor = Float(scale / Double(normMemory.elements[number]))
        multiply(values + number * width, by: factor, into: copy, count: width)
        continue
      }
      let row = values + (rows.lowerBound + index) * width
      if isPending {
        multiply(row, by: factorMemory.elements[rows.lowerBound + index], into: copy, count: width)
        if writingBack { row.update(from: copy, count: width) }
      } else {
        copy.update(from: row, count: width)
      }
    }
    let tiled = (rows.count + TileProduct.rows - 1) / TileProduct.rows * TileProduct.rows
    for index in rows.count..<tiled {
      (block + index * workspace.rowStride).update(repeating: 0, count: width)
    }
  }
}

/// y = factor x. Both may be the same memory.
func multiply(_ x: UnsafePointer<Float>, by factor: Float, into y: UnsafeMutablePointer<Float>, count: Int) {
  var i = 0
  while i &+ 8 <= count {
    (SIMD8(from: x + i) * factor).store(to: y + i)
    i &+= 8
  }
  while i < count {
    y[i] = x[i] * factor
    i &+= 1
  }
}
