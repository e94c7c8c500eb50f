import VectorKernels

/// The large margin cosine loss (LMCL, CosFace) over a range of the classes, softmax cross-entropy included.
///
/// M = samples, N = classes here, K = embedding width.  e (M, K) of length 1   W (N, K) class weight   y (M) labels
///
///     W' = f W                          rows of the norm `scale`: see `ClassWeight`
///     logits = gamma e W'^T             at the label gamma * scale * t, t = `Margin` of the cosine: c - m for CosFace
///     loss = sum of -ln softmax(logits)[y] / count        count = samples of ALL ranks in the step
///     dlogits = (softmax - onehot(y)) / count        at the label times dt/dc, which is 1 for CosFace
///     de = gamma dlogits W'             dW = gamma dlogits^T e        projection and scale are constants of the step
///
/// Replicated, the range is 0..<classCount. Sharded, it is this rank's, e and y are those of all ranks, and
/// `SoftmaxReductions` join the pieces; de is then this rank's part of a sum over the ranks.
///
/// Sampled (PartialFC: An et al. 2021), a step knows only the rows that `ClassWeight.select` names: softmax, gradient,
/// update and projection are over these, and the others keep their values and states.
///
/// W is streamed in blocks of rows that stay in the cache. A fused step (one rank, no clipping, no accumulation) reads W
/// twice and its optimizer's state once, writes both once, and holds no gradient: with SGD's momentum 5 passes of N * K over
/// the memory bus.
package final class LargeMarginCosineLoss {
  package let classWeight: ClassWeight
  package var gamma: Double { logitScale.gamma(rowNorm: classWeight.scale) }

  private let logitScale: LogitScale
  /// The largest M.
  private let capacity: Int
  private let softmax: MarginSoftmax
  private let sweep: BlockSweep

  /// `holdsGradient` false leaves out the gradient: only `backward(into:updatingWith:)` works then.
  ///
  /// `sampledRows`: each step computes with those that `ClassWeight.select` names, about so many at most.
  package init(
    classes: Range<Int>, of classCount: Int, width: Int, capacity: Int, margin: Margin, logitScale: LogitScale,
    holdsGradient: Bool, sampledRows: Int? = nil
  ) {
    precondition(width > 0 && capacity >= 0, "Embeddings of width \(width) for a batch of \(capacity)")
    (self.capacity, self.logitScale) = (capacity, logitScale)
    classWeight = ClassWeight(
      classes: classes, of: classCount, width: width, holdsGradient: holdsGradient, isSampled: sampledRows != nil)
    softmax = MarginSoftmax(
      margin: margin, capacity: capacity, rows: min(sampledRows ?? classes.count, classes.count))
    sweep = BlockSweep(width: width, capacity: capacity)
  }

  /// The loss of the samples given, summed and divided by `count`: with sharded classes these are all ranks' samples.
  ///
  /// `embeddings` (M, K) as `L2Normalize` leaves them, one of `labels` each; `count` = samples of all ranks in the step.
  /// One read of W; where a gradient is held, a pending factor is also written back. Logits (N, M): one write.
  package func forward(
    _ embeddings: UnsafePointer<Float>, labels: UnsafeBufferPointer<Int32>, count: Int,
    reductions: SoftmaxReductions? = nil
  ) throws -> Double {
    precondition(labels.count <= capacity, "\(labels.count) of at most \(capacity) samples")
    precondition(count >= labels.count, "\(labels.count) samples of \(count) in the step")
    precondition(classWeight.isSelected, "A sampled step for which no rows were selected")
    let gamma = gamma
    try softmax.begin(labels, among: classWeight, count: count, gamma: gamma)
    sweep.begin(embeddings, count: labels.count, gamma: gamma)
    sweep.forward(classWeight, softmax)
    return try softmax.join(sweep.workspaces, reductions)
  }

  /// Writes de (M, K), unless nobody asks for it, and adds dW to the class weight's gradient, with the W' of the last
  /// forward.
  ///
  /// `finished` hears of each piece of at most `rowsPerPiece` rows, in ascending order and on the calling thread, as
  /// soon as its gradient is complete: an allreduce of these rows may start while the next are computed.
  /// One read of W, one read and write of dW.
  package func backward(
    into gradient: UnsafeMutablePointer<Float>?, rowsPerPiece: Int, finished: (Range<Int>) throws -> Void
  ) rethrows {
    let (whole, width, rowCount) = (classWeight.gradients, classWeight.width, classWeight.rowCount)
    precondition(rowsPerPiece > 0, "Pieces of \(rowsPerPiece) rows")
    sweep.beginBackward(makesEmbeddingGradient: gradient != nil)
    for start in stride(from: 0, to: rowCount, by: rowsPerPiece) {
      let piece = start..<(start + min(rowsPerPiece, rowCount - start))
      sweep.backward(classWeight, softmax, piece) { row, _, gradient in
        PairwiseSum.add(gradient, to: whole + row * width, count: width)
      }
      try finished(piece)
    }
    if let gradient { sweep.gatherEmbeddingGradient(into: gradient) }
  }

  /// The same in one piece.
  package func backward(into gradient: UnsafeMutablePointer<Float>?) {
    backward(into: gradient, rowsPerPiece: classWeight.rowCount) { _ in }
  }

  /// Writes de (M, K) and updates W and its optimizer's state with dW, tile of rows by tile of rows: dW never exists whole.
  ///
  /// For one rank: nobody else adds to dW, and nothing needs its norm first. One read of W and of its state, one write of
  /// both; sampled, of the step's rows.
  package func backward(into gradient: UnsafeMutablePointer<Float>?, updatingWith rule: UpdateRule) {
    sweep.beginBackward(makesEmbeddingGradient: gradient != nil)
    classWeight.updateAll(with: rule) { sweep.backward(classWeight, softmax, 0..<classWeight.activeCount, $0) }
    if let gradient { sweep.gatherEmbeddingGradient(into: gradient) }
  }

  /// Cosines of the last forward pass, read off its logits: of each sample with its class, where its row is here, and of
  /// samples with other classes of the step, at most about `negativeLimit`, evenly spread over the step's rows.
  package func cosines(negativeLimit: Int) -> (positive: [Float], negative: [Float]) {
    softmax.cosines(negativeLimit: negativeLimit)
  }

  /// Bytes of everything held here, for the memory report: W, its gradient and states, logits, buffers.
  package var bytes: Int { classWeight.bytes + softmax.bytes + sweep.bytes }

  /// What `bytes` will be of a loss made like this, for plans: nothing is allocated.
  ///
  /// R = rows here, K = embedding width, M = samples, padded to whole panels, T = threads. In Floats: W, its gradient and each
  /// of so many states R K; logits R M (of sampled rows S M); norms and factors 2 R; embeddings in both layouts 2 M K; and
  /// each thread's workspace.
  package static func bytes(
    rows: Int, width: Int, capacity: Int, threads: Int, holdsGradient: Bool, states: Int, sampledRows: Int? = nil
  ) -> Int {
    let padded = TileProduct.padded(capacity)
    let tiledRows = TileProduct.tiled(min(sampledRows ?? rows, rows))
    let line = ParameterStore.alignment
    let weight = (rows * width + line - 1) / line * line
    let floats =
      weight * ((holdsGradient ? 2 : 1) + states) + 2 * rows + width * padded + TileProduct.padded(width) * capacity
      + tiledRows * padded + 2 * capacity + 2 * padded
    return MemoryLayout<Float>.stride * floats + threads * HeadWorkspace.bytes(width: width, capacity: padded)
  }
}
