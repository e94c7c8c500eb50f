import VectorKernels

#if canImport(Glibc)
  import Glibc
#endif

extension LargeMarginCosineLoss {
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
    precondition(scale > 0, "The class weight has no common norm yet.")
    precondition(!isSampled || activeRows != nil, "A sampled step for which no rows were selected")
    try take(labels)
    totalCount = count
    forwardLogitScale = gamma * scale
    makeWorkspaces()
    pack(embeddings)

    let writesBack = store.gradients.count > 0
    for workspace in workspaces { workspace.clearStatistics() }
    Parallel.run { part, parts in
      let workspace = workspaces[part]
      forBlocks(of: share(of: 0..<activeCount, part, parts), workspace) { rows in
        load(rows, into: workspace, writingBack: writesBack)
        computeLogits(of: rows, workspace)
        applyMargin(in: rows)
        gatherStatistics(of: rows, workspace)
      }
    }
    if writesBack, isPending {
      isPending = false
      currentNorms = 0
    }
    try join(reductions)
    return try loss()
  }

  private func take(_ labels: UnsafeBufferPointer<Int32>) throws(HeadError) {
    sampleCount = labels.count
    for (sample, label) in labels.enumerated() {
      guard 0..<classCount ~= Int(label) else {
        throw .labelOutOfRange(sample: sample, label: Int(label), classCount: classCount)
      }
      labelRows[sample] = classes.contains(Int(label)) ? place(of: Int(label) - classes.lowerBound) : -1
      sums[sampleCount + sample] = 0
    }
  }

  /// Lays out e for both products: gamma e^T in panels of samples, e in panels of columns.
  private func pack(_ embeddings: UnsafePointer<Float>) {
    let panel = TileProduct.columns
    let (m, gamma) = (sampleCount, Float(gamma))
    let columns = scaledColumns.elements.baseAddress!
    for sample in 0..<Self.padded(m) {
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

  /// logits^T = W' (gamma e)^T, 6 rows by a panel of samples at a time: 2 N' M K operations on a block in the cache.
  private func computeLogits(of rows: Range<Int>, _ workspace: HeadWorkspace) {
    let samples = Self.padded(sampleCount)
    let (tile, panel, depth) = (TileProduct.rows, TileProduct.columns, TileProduct.depth)
    let block = workspace.rows.elements.baseAddress!
    let result = logits.elements.baseAddress! + rows.lowerBound * samples
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

  private func applyMargin(in rows: Range<Int>) {
    let samples = Self.padded(sampleCount)
    let shift = Float(gamma * margin.cosine * scale)
    for sample in 0..<sampleCount where rows.contains(labelRows[sample]) {
      let index = labelRows[sample] * samples + sample
      let cosine = Double(logits.elements[index]) / forwardLogitScale
      labelCosines.elements[sample] = Float(cosine)
      if margin.leavesAngle {
        logits.elements[index] -= shift
      } else {
        let (target, slope) = margin.applied(to: cosine)
        logits.elements[index] = Float(forwardLogitScale * target)
        labelSlopes.elements[sample] = Float(slope)
      }
      sums[sampleCount + sample] = Double(logits.elements[index])
    }
  }

  /// Takes a block into the running maximum and sum of exponentials. Two reads of the block's logits, from the cache.
  private func gatherStatistics(of rows: Range<Int>, _ workspace: HeadWorkspace) {
    let samples = Self.padded(sampleCount)
    let start = logits.elements.baseAddress! + rows.lowerBound * samples
    let maxima = workspace.maxima.elements.baseAddress!
    for first in stride(from: 0, to: samples, by: 8) {
      let former = SIMD8(from: maxima + first)
      var largest = former
      for row in 0..<rows.count {
        let x = SIMD8(from: start + (row &* samples &+ first))
        largest.replace(with: x, where: x .> largest)
      }
      largest.store(to: maxima + first)
      let sums = workspace.sums + first
      for lane in 0..<8 where largest[lane] > former[lane] {
        sums[lane] *= exp(Double(former[lane]) - Double(largest[lane]))
      }
      var sum = SIMD8<Float>.zero
      for row in 0..<rows.count { sum += exponential(SIMD8(from: start + (row &* samples &+ first)) - largest) }
      for lane in 0..<8 { sums[lane] += Double(sum[lane]) }
    }
  }

  /// Joins the threads' statistics, then the ranks', and prepares the factors of the backward pass.
  private func join(_ reductions: SoftmaxReductions?) throws {
    let m = sampleCount
    let maxima = UnsafeMutableBufferPointer(rebasing: maxima.elements[0..<m])
    for sample in 0..<m {
      maxima[sample] = workspaces.reduce(-.infinity) { max($0, $1.maxima.elements[sample]) }
    }
    try reductions?.maximum(maxima)
    for sample in 0..<m {
      sums[sample] = 0
      for thread in workspaces where thread.sums[sample] != 0 {
        sums[sample] += thread.sums[sample] * exp(Double(thread.maxima.elements[sample]) - Double(maxima[sample]))
      }
    }
    try reductions?.sum(UnsafeMutableBufferPointer(rebasing: sums[0..<2 * m]))
    for sample in 0..<Self.padded(m) {
      exponentialFactors.elements[sample] = sample < m ? Float(gamma / (Double(totalCount) * sums[sample])) : 0
      if sample >= m { self.maxima.elements[sample] = 0 }
    }
  }

  private func loss() throws(HeadError) -> Double {
    var total = 0.0
    for sample in 0..<sampleCount {
      let part = log(sums[sample]) + Double(maxima.elements[sample]) - sums[sampleCount + sample]
      guard part.isFinite else { throw .nonFiniteLoss(sample: sample, loss: part) }
      total += part
    }
    return sampleCount == 0 ? 0 : total / Double(totalCount)
  }
}
