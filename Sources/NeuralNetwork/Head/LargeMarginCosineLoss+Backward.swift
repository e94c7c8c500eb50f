import VectorKernels

extension LargeMarginCosineLoss {
  /// Writes de (M, K) and adds dW to the class weight's gradient, with the W' of the last forward.
  ///
  /// `finished` hears of each piece of at most `rowsPerPiece` rows, in ascending order and on the calling thread, as
  /// soon as its gradient is complete: an allreduce of these rows may start while the next are computed.
  /// One read of W, one read and write of dW.
  package func backward(
    into gradient: UnsafeMutablePointer<Float>, rowsPerPiece: Int, finished: (Range<Int>) throws -> Void
  ) rethrows {
    guard let whole = classWeight.gradient.baseAddress, classWeight.gradient.count > 0 else {
      preconditionFailure("This class weight holds no gradient.")
    }
    precondition(rowsPerPiece > 0, "Pieces of \(rowsPerPiece) rows")
    precondition(!isSampled, "A gradient of sampled rows is not held")
    clearEmbeddingGradients()
    var start = 0
    while start < rowCount {
      let piece = start..<(start + min(rowsPerPiece, rowCount - start))
      sweep(piece) { row, _, gradient in
        add(gradient, to: whole + row * width, count: width)
      }
      try finished(piece)
      start = piece.upperBound
    }
    gatherEmbeddingGradient(into: gradient)
  }

  /// The same in one piece.
  package func backward(into gradient: UnsafeMutablePointer<Float>) {
    backward(into: gradient, rowsPerPiece: rowCount) { _ in }
  }

  /// Writes de (M, K) and updates W and its optimizer's state with dW, tile of rows by tile of rows: dW never exists whole.
  ///
  /// For one rank: nobody else adds to dW, and nothing needs its norm first. The new rows' norms are gathered on the
  /// way. One read of W and of its state, one write of both; sampled, of the step's rows.
  package func backward(into gradient: UnsafeMutablePointer<Float>, updatingWith rule: UpdateRule) {
    let values = classWeight.value.baseAddress!
    let states = classWeight.states
    clearEmbeddingGradients()
    sweep(0..<activeCount) { place, current, gradient in
      let row = row(at: place)
      let updated = values + row * width
      rule.apply(current, into: updated, gradient: gradient, states: states, at: row * width, count: width)
      normMemory.elements[row] = rowNorm(updated)
    }
    isPending = false
    currentNorms = rowCount
    gatherEmbeddingGradient(into: gradient)
  }

  /// Updates `rows` with the gathered gradient, as `ParameterUpdate` does it to the bit, with the new rows' norms on the way.
  ///
  /// Pieces may come in any order, as their allreduce finishes; the norms count once all rows had their turn.
  /// One read of W, dW and state, one write of W, state and, where cleared for the next step, dW.
  package func update(_ rows: Range<Int>, with rule: UpdateRule, clearingGradient: Bool) {
    precondition(!isPending, "An update of rows whose factors are pending")
    guard let gradients = classWeight.gradient.baseAddress else {
      preconditionFailure("This class weight holds no gradient.")
    }
    let (values, states) = (classWeight.value.baseAddress!, classWeight.states)
    Parallel.ranges(rows.count) { part in
      for row in (rows.lowerBound + part.lowerBound)..<(rows.lowerBound + part.upperBound) {
        let start = row * width
        rule.apply(
          values + start, into: values + start, gradient: gradients + start, states: states, at: start,
          count: width)
        normMemory.elements[row] = rowNorm(values + start)
        if clearingGradient { (gradients + start).update(repeating: 0, count: width) }
      }
    }
    currentNorms = (hasCurrentNorms ? 0 : currentNorms) + rows.count
  }

  private func clearEmbeddingGradients() {
    Parallel.ranges(workspaces.count) { range in
      for index in range { workspaces[index].embeddingGradient.elements.update(repeating: 0) }
    }
  }

  /// Computes dlogits, de and dW of `rows` block by block; `use` gets each row's number, W' and dW (K each, in the
  /// cache), on that row's thread.
  private func sweep(
    _ rows: Range<Int>, _ use: (_ row: Int, _ current: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>) -> Void
  ) {
    Parallel.run { part, parts in
      let workspace = workspaces[part]
      let gradients = workspace.rowGradients.elements.baseAddress!
      let (tile, paddedWidth) = (TileProduct.rows, Self.padded(width))
      forBlocks(of: share(of: rows, part, parts), workspace) { rows in
        load(rows, into: workspace, writingBack: false)
        computeLogitGradients(of: rows, workspace)
        addEmbeddingGradient(of: rows, workspace)
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
  }

  /// gamma dlogits = gamma (softmax - onehot) / count, at the label times the margin's slope, (N', M). One read of the
  /// block's logits.
  private func computeLogitGradients(of rows: Range<Int>, _ workspace: HeadWorkspace) {
    let samples = Self.padded(sampleCount)
    let start = logits.elements.baseAddress! + rows.lowerBound * samples
    let (maxima, factors) = (maxima.elements.baseAddress!, exponentialFactors.elements.baseAddress!)
    let result = workspace.logitGradients.elements.baseAddress!
    let tiled = (rows.count + TileProduct.rows - 1) / TileProduct.rows * TileProduct.rows
    for row in 0..<tiled {
      let target = result + row * workspace.logitStride
      if row >= rows.count {
        target.update(repeating: 0, count: samples)
        continue
      }
      for first in stride(from: 0, to: samples, by: 8) {
        let x = SIMD8(from: start + (row &* samples &+ first)) - SIMD8(from: maxima + first)
        (exponential(x) * SIMD8(from: factors + first)).store(to: target + first)
      }
    }
    let one = Float(gamma / Double(max(totalCount, 1)))
    for sample in 0..<sampleCount where rows.contains(labelRows[sample]) {
      let place = (labelRows[sample] - rows.lowerBound) * workspace.logitStride + sample
      result[place] -= one
      if !margin.leavesAngle { result[place] *= labelSlopes.elements[sample] }
    }
  }

  /// de^T += W'^T (gamma dlogits)^T: 2 N' M K operations, 6 columns of W' by a panel of samples at a time.
  private func addEmbeddingGradient(of rows: Range<Int>, _ workspace: HeadWorkspace) {
    let samples = Self.padded(sampleCount)
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

  /// dW = gamma dlogits^T e of the tile of rows from `first`: 12 M K operations, into the first-level cache.
  private func computeRowGradients(_ first: Int, _ workspace: HeadWorkspace) {
    let (panel, paddedWidth) = (TileProduct.columns, Self.padded(width))
    let factors = workspace.logitGradients.elements.baseAddress! + first * workspace.logitStride
    let embeddings = columnPanels.elements.baseAddress!
    let result = workspace.rowGradients.elements.baseAddress!
    for k in stride(from: 0, to: width, by: panel) {
      Kernels.chosen.multiplyRows(
        steps: sampleCount, factors, rowStride: workspace.logitStride, embeddings + k * sampleCount,
        stepStride: panel, adding: false, into: result + k, leading: paddedWidth)
    }
  }

  /// Sums the threads' parts, in their order, and turns them round.
  private func gatherEmbeddingGradient(into gradient: UnsafeMutablePointer<Float>) {
    let samples = Self.padded(sampleCount)
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
}

/// y += x
private func add(_ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, count: Int) {
  var i = 0
  while i &+ 8 <= count {
    (SIMD8(from: y + i) + SIMD8(from: x + i)).store(to: y + i)
    i &+= 8
  }
  while i < count {
    y[i] += x[i]
    i &+= 1
  }
}
