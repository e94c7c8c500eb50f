import VectorKernels

#if canImport(Glibc)
  import Glibc
#endif

/// The softmax over logits with a margin, and its gradient: block by block of rows, joined among threads and ranks.
///
/// M = samples, N = rows of the step.  logits (N, M), so that a block of rows is one piece and a vector holds samples
///
///     logit at the label = gamma scale t        t and dt/dc = `Margin` of the cosine c, which is the product / (gamma scale)
///     loss = sum of -ln softmax(logits)[y] / count
///     dlogits = (softmax - onehot(y)) / count        at the label times dt/dc
///
/// M is padded to whole panels with samples of zeros that count nowhere.
final class MarginSoftmax {
  private let margin: Margin
  private let capacity: Int

  // Of the last forward.
  private var sampleCount = 0
  private var rowCount = 0
  private var totalCount = 0
  private var gamma = 0.0
  private var scale = 0.0
  /// The logit of cosine 1.
  private var cosineScale: Double { gamma * scale }
  /// Place among the step's rows of each sample's label, -1 where another rank holds it.
  private var labelRows: [Int]
  /// (N, M)
  private var logits: AlignedMemory
  /// Cosine per sample with its class, and the slope of the margin there, where the row is here.
  private let labelCosines: AlignedMemory
  private let labelSlopes: AlignedMemory
  /// The largest logit per sample.
  private let maxima: AlignedMemory
  /// gamma / (count * sum of exponentials) per sample, 0 for padding: turns an exponential into gamma * dlogits.
  private let exponentialFactors: AlignedMemory
  /// M sums of exponentials, then M logits of the labels.
  private let sums: UnsafeMutableBufferPointer<Double>

  /// For at most `capacity` samples, and about so many `rows`.
  init(margin: Margin, capacity: Int, rows: Int) {
    (self.margin, self.capacity) = (margin, capacity)
    let padded = TileProduct.padded(capacity)
    labelRows = Array(repeating: -1, count: capacity)
    logits = AlignedMemory(count: TileProduct.tiled(rows) * padded)
    labelCosines = AlignedMemory(count: capacity)
    labelSlopes = AlignedMemory(count: capacity)
    maxima = AlignedMemory(count: padded)
    exponentialFactors = AlignedMemory(count: padded)
    sums = .allocate(capacity: 2 * capacity)
    sums.initialize(repeating: 0)
  }

  deinit { sums.deallocate() }

  var bytes: Int { [logits, labelCosines, labelSlopes, maxima, exponentialFactors].reduce(0) { $0 + $1.bytes } }

  /// Before a forward pass. Allocates only where the step has more rows than ever before.
  func begin(
    _ labels: UnsafeBufferPointer<Int32>, among classWeight: ClassWeight, count: Int, gamma: Double
  ) throws(HeadError) {
    rowCount = classWeight.activeCount
    let needed = TileProduct.tiled(rowCount) * TileProduct.padded(capacity)
    if logits.elements.count < needed { logits = AlignedMemory(count: needed) }
    sampleCount = labels.count
    for (sample, label) in labels.enumerated() {
      guard 0..<classWeight.classCount ~= Int(label) else {
        throw .labelOutOfRange(sample: sample, label: Int(label), classCount: classWeight.classCount)
      }
      labelRows[sample] = classWeight.place(ofLabel: Int(label))
      sums[sampleCount + sample] = 0
    }
    (totalCount, self.gamma, scale) = (count, gamma, classWeight.scale)
  }

  /// The logits from `row` on, of whole panels of samples.
  func logits(from row: Int) -> UnsafeMutablePointer<Float> {
    logits.elements.baseAddress! + row * TileProduct.padded(sampleCount)
  }

  /// Takes a block whose logits are the bare products: margin, then the running maximum and sum of exponentials.
  func take(_ rows: Range<Int>, _ workspace: HeadWorkspace) {
    applyMargin(in: rows)
    gatherStatistics(of: rows, workspace)
  }

  private func applyMargin(in rows: Range<Int>) {
    let shift = Float(gamma * margin.cosine * scale)
    for sample in 0..<sampleCount where rows.contains(labelRows[sample]) {
      let logit = logits(from: labelRows[sample]) + sample
      let cosine = Double(logit.pointee) / cosineScale
      labelCosines.elements[sample] = Float(cosine)
      if margin.leavesAngle {
        logit.pointee -= shift
      } else {
        let (target, slope) = margin.applied(to: cosine)
        logit.pointee = Float(cosineScale * target)
        labelSlopes.elements[sample] = Float(slope)
      }
      sums[sampleCount + sample] = Double(logit.pointee)
    }
  }

  /// Two reads of the block's logits, from the cache.
  private func gatherStatistics(of rows: Range<Int>, _ workspace: HeadWorkspace) {
    let samples = TileProduct.padded(sampleCount)
    let start = logits(from: rows.lowerBound)
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

  /// Joins the threads' statistics, then the ranks', prepares the factors of the gradient, and returns the loss.
  func join(_ workspaces: [HeadWorkspace], _ reductions: SoftmaxReductions?) throws -> Double {
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
    for sample in 0..<TileProduct.padded(m) {
      exponentialFactors.elements[sample] = sample < m ? Float(gamma / (Double(totalCount) * sums[sample])) : 0
      if sample >= m { self.maxima.elements[sample] = 0 }
    }
    var total = 0.0
    for sample in 0..<m {
      let part = log(sums[sample]) + Double(maxima[sample]) - sums[m + sample]
      guard part.isFinite else { throw HeadError.nonFiniteLoss(sample: sample, loss: part) }
      total += part
    }
    return m == 0 ? 0 : total / Double(totalCount)
  }

  /// Writes gamma dlogits (N', M) of a block, in rows up to the next whole tile. One read of the block's logits.
  func computeGradients(of rows: Range<Int>, _ workspace: HeadWorkspace) {
    let samples = TileProduct.padded(sampleCount)
    let start = logits(from: rows.lowerBound)
    let (maxima, factors) = (maxima.elements.baseAddress!, exponentialFactors.elements.baseAddress!)
    let result = workspace.logitGradients.elements.baseAddress!
    for row in 0..<TileProduct.tiled(rows.count) {
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

  /// Cosines of the last forward pass: see `LargeMarginCosineLoss.cosines`.
  func cosines(negativeLimit: Int) -> (positive: [Float], negative: [Float]) {
    guard sampleCount > 0, cosineScale > 0 else { return ([], []) }
    let inverse = Float(1 / cosineScale)
    let positive = (0..<sampleCount).filter { labelRows[$0] >= 0 }.map { labelCosines.elements[$0] }
    var negative: [Float] = []
    for row in stride(from: 0, to: rowCount, by: max(1, rowCount * sampleCount / max(negativeLimit, 1))) {
      let logits = logits(from: row)
      for sample in 0..<sampleCount where labelRows[sample] != row { negative.append(logits[sample] * inverse) }
    }
    return (positive, negative)
  }
}
