extension LargeMarginCosineLoss {
  /// What `bytes` will be of a loss made like this, for plans: nothing is allocated.
  ///
  /// R = rows here, K = embedding width, M = samples, padded to whole panels, T = threads. In Floats: W, its gradient and each
  /// of so many states R K; logits R M (of sampled rows S M); norms and factors 2 R; embeddings in both layouts 2 M K; and each thread's workspace.
  package static func bytes(
    rows: Int, width: Int, capacity: Int, threads: Int, holdsGradient: Bool, states: Int, sampledRows: Int? = nil
  ) -> Int {
    let padded = padded(capacity)
    let tiledRows = tiled(min(sampledRows ?? rows, rows))
    let line = ParameterStore.alignment
    let weight = (rows * width + line - 1) / line * line
    let floats =
      weight * ((holdsGradient ? 2 : 1) + states) + 2 * rows + width * padded + self.padded(width) * capacity
      + tiledRows * padded + 2 * capacity + 2 * padded
    return MemoryLayout<Float>.stride * floats + threads * HeadWorkspace.bytes(width: width, capacity: padded)
  }
}
