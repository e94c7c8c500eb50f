import VectorKernels

/// The rows of the class weight over a range of the classes, with their optimizer's states, and the projection: every row
/// keeps its direction and takes the mean of all norms.
///
/// N = classes here, K = embedding width.  W (N, K) in memory   W' (N, K) what a step computes with   n, f (N)
///
///     n = sqrt(sum w^2 + 1e-10)        scale = mean of n over all classes        f = scale / n        W' = f W
///
/// Rank 0 finds `scale` and the factors; the trainer sends both to the other ranks; every rank calls `apply(scale:)`.
/// One IEEE multiplication per element: replicas stay equal to the last bit. With sharded classes each rank adds up
/// `rowNormSum()` of its own, the trainer reduces one number, and factors stay where their rows are.
///
/// Sampled, a row is projected whenever a step takes it up, from the norm that it has in memory, and what the update makes
/// of it goes back. Rows that no step takes up are never touched: they stand for rows of the norm `scale`, whatever it has
/// become meanwhile.
package final class ClassWeight {
  /// How the rows in memory relate to W', and which of their norms are known.
  package enum NormState: Equatable {
    /// Initialized, loaded or written from outside: rows of any norms.
    case unknown
    /// The norms of all rows are gathered: of updated ones, or on the way to a projection.
    case current
    /// The rows have yet to be multiplied with their factors. Never where steps are sampled.
    case pending
    /// The rows are W'.
    case projected
    /// So many rows have been updated, with their new norms gathered on the way; the others are W' still.
    case updating(rows: Int)
  }

  package let classes: Range<Int>
  package let classCount: Int
  package let width: Int
  package let parameter: Parameter
  package let store: ParameterStore
  package var rowCount: Int { classes.count }
  /// W (N, K). Call `materialize()` before anything but this class reads it.
  package var value: UnsafeMutableBufferPointer<Float> { parameter.value }
  package var gradient: UnsafeMutableBufferPointer<Float> { parameter.gradient }
  package var states: [OptimizerState] { parameter.states }

  package private(set) var normState = NormState.unknown
  private var commonNorm: Double?
  /// The norm of all rows of W', the mean of their norms before.
  package var scale: Double {
    guard let commonNorm else { preconditionFailure("The class weight has no common norm yet.") }
    return commonNorm
  }

  /// Whether a step computes with some of the rows.
  package let isSampled: Bool
  /// Rows of the step, ascending, where it is sampled.
  private var activeRows: [Int32]?

  // One value per row.
  private let normMemory: AlignedMemory
  private let factorMemory: AlignedMemory

  init(classes: Range<Int>, of classCount: Int, width: Int, holdsGradient: Bool, isSampled: Bool) {
    precondition(!holdsGradient || !isSampled, "A gradient of sampled rows is not held")
    precondition(
      !classes.isEmpty && classes.lowerBound >= 0 && classes.upperBound <= classCount,
      "Classes \(classes) of \(classCount)")
    (self.classes, self.classCount, self.width, self.isSampled) = (classes, classCount, width, isSampled)
    parameter = Parameter("classWeight", [classes.count, width], .xavierNormal(fanIn: width, fanOut: classCount))
    store = ParameterStore([parameter], gradients: holdsGradient)
    normMemory = AlignedMemory(count: classes.count)
    factorMemory = AlignedMemory(count: classes.count)
  }

  var bytes: Int { store.bytes + normMemory.bytes + factorMemory.bytes }

  /// Fills W for the whole run; rows are the same however the classes are divided. Normalize next.
  package func initialize(seed: UInt64) {
    parameter.initializer.fill(value, seed: seed, name: parameter.name, offset: classes.lowerBound * width)
    valueChanged()
  }

  /// For whoever wrote W from outside (loading, SGD over the store): norms are old. Materialize before writing.
  package func valueChanged() {
    precondition(normState != .pending, "W was written while row factors were pending.")
    normState = .unknown
  }

  /// Takes rows that came from a checkpoint, projected already, for what they are: nothing is multiplied.
  package func restore(scale: Double) {
    (commonNorm, normState, activeRows) = (scale, .projected, nil)
  }
}

/// The projection.
extension ClassWeight {
  /// The rows' norms n before the last projection, of those rows that are here; valid where they were gathered: on rank 0,
  /// or with sharded classes everywhere.
  package var rowNorms: UnsafeBufferPointer<Float> { UnsafeBufferPointer(normMemory.elements) }

  /// The memory of the N row factors: filled by `computeRowFactors`, or by a broadcast.
  package var rowFactors: UnsafeMutableBufferPointer<Float> { factorMemory.elements }

  /// The sum of the rows' norms, in Double. No pass over W after an updating backward; else one read.
  ///
  /// After a sampled step the rows that had no part in it count with `scale`, the norm that they stand for.
  package func rowNormSum() -> Double {
    gatherNorms()
    let norms = rowNorms
    guard let activeRows else { return norms.reduce(0.0) { $0 + Double($1) } }
    return activeRows.reduce(Double(rowCount - activeRows.count) * scale) { $0 + Double(norms[Int($1)]) }
  }

  /// Writes each row's factor, f = scale / n, n its norm, to `rowFactors`.
  ///
  /// Before that, factors that are still pending are applied to W, and norms that are out of date are gathered: up to one
  /// pass over W. Sampled, it does nothing: a step computes the factors of the rows that it takes.
  package func computeRowFactors(scale: Double) throws(HeadError) {
    guard scale.isFinite, scale > 0 else { throw .nonFiniteScale(scale) }
    if isSampled { return }
    gatherNorms()
    Parallel.ranges(rowCount) { rows in
      for row in rows { factorMemory.elements[row] = factor(of: row, for: scale) }
    }
  }

  /// Gives every row the norm `scale`, by the factors in `rowFactors`.
  ///
  /// No pass over W: the next forward multiplies each block while it is in the cache, with the same result to the bit.
  /// The rows must not be pending when `rowFactors` is written: `materialize()` first.
  package func apply(scale: Double) {
    precondition(normState != .pending, "Row factors upon row factors that were not applied yet")
    commonNorm = scale
    if !isSampled { normState = .pending }
  }

  /// The whole projection on one rank: to the mean norm, or to `norm`.
  package func renormalize(to norm: Double? = nil) throws(HeadError) {
    let target = norm ?? rowNormSum() / Double(rowCount)
    try computeRowFactors(scale: target)
    apply(scale: target)
  }

  /// Multiplies the rows in memory by factors that are pending: before anything but this class reads W. One read and one
  /// write of W, or nothing.
  package func materialize() {
    guard normState == .pending else { return }
    multiplyRows { factorMemory.elements[$0] }
  }

  /// Gives all rows in memory their common norm: before a model is written. No step may follow without `restore`.
  package func project() {
    guard isSampled else { return materialize() }
    gatherNorms()
    let scale = scale
    multiplyRows { factor(of: $0, for: scale) }
  }

  private func multiplyRows(by factor: (_ row: Int) -> Float) {
    let values = value.baseAddress!
    Parallel.ranges(rowCount) { rows in
      for row in rows { multiply(values + row * width, by: factor(row), into: values + row * width, count: width) }
    }
    normState = .projected
  }

  /// The norms of all rows, up to date. At most one read of W.
  private func gatherNorms() {
    switch normState {
    case .current: return
    case .pending: materialize()
    case .unknown, .projected, .updating: break
    }
    let values = value.baseAddress!
    Parallel.ranges(rowCount) { rows in
      for row in rows { normMemory.elements[row] = rowNorm(values + row * width, count: width) }
    }
    normState = .current
  }

  private func factor(of row: Int, for scale: Double) -> Float { Float(scale / Double(normMemory.elements[row])) }
}

/// The rows of a step.
extension ClassWeight {
  /// How many rows a step computes with. Each has a place among them, from 0.
  var activeCount: Int { activeRows?.count ?? rowCount }
  /// Whether the rows of the step are known.
  var isSelected: Bool { !isSampled || activeRows != nil }

  /// The next steps compute with `rows`: numbers within this range, ascending, each label's among them.
  package func select(_ rows: [Int32]) {
    precondition(isSampled, "A selection of \(rows.count) rows of a head that computes with all")
    precondition(
      (rows.first ?? 0) >= 0 && Int(rows.last ?? 0) < rowCount && zip(rows, rows.dropFirst()).allSatisfy(<),
      "\(rows.count) rows that are not ascending or not within 0..<\(rowCount)")
    gatherNorms()
    activeRows = rows
  }

  /// Where the row of `label` is among the rows of the step; -1 where another rank holds it.
  func place(ofLabel label: Int) -> Int {
    guard classes.contains(label) else { return -1 }
    let row = label - classes.lowerBound
    guard let activeRows else { return row }
    var range = activeRows.indices
    while !range.isEmpty {
      let middle = (range.lowerBound + range.upperBound) / 2
      if activeRows[middle] < row { range = (middle + 1)..<range.upperBound } else { range = range.lowerBound..<middle }
    }
    precondition(
      range.lowerBound < activeRows.count && activeRows[range.lowerBound] == row,
      "Row \(row) of a label is not among the \(activeRows.count) selected")
    return range.lowerBound
  }

  /// dW (N, K), where it is held: not of sampled rows.
  var gradients: UnsafeMutablePointer<Float> {
    guard store.gradients.count > 0, let start = gradient.baseAddress else {
      preconditionFailure("This class weight holds no gradient.")
    }
    return start
  }

  /// A pass that loads every row of the step. Where a gradient is held, it leaves W' in memory.
  func readAll(_ sweep: (_ writingBack: Bool) -> Void) {
    let writingBack = store.gradients.count > 0
    sweep(writingBack)
    if writingBack, normState == .pending { normState = .projected }
  }

  /// Puts W' of the rows at `places` into `block`, `stride` apart: the one read from memory. A pending factor is applied on
  /// the way, the same single multiplication per element as `materialize()`'s.
  func load(_ places: Range<Int>, into block: UnsafeMutablePointer<Float>, stride: Int, writingBack: Bool) {
    let values = value.baseAddress!
    switch normState {
    case .unknown: preconditionFailure("The rows of the class weight have no common norm yet.")
    case .current:
      guard let activeRows else { preconditionFailure("The rows of the class weight have no common norm any more.") }
      let scale = scale
      for (index, place) in places.enumerated() {
        let row = Int(activeRows[place])
        multiply(values + row * width, by: factor(of: row, for: scale), into: block + index * stride, count: width)
      }
    case .projected, .updating:
      for (index, row) in places.enumerated() {
        (block + index * stride).update(from: values + row * width, count: width)
      }
    case .pending:
      for (index, row) in places.enumerated() {
        let copy = block + index * stride
        multiply(values + row * width, by: factorMemory.elements[row], into: copy, count: width)
        if writingBack { (values + row * width).update(from: copy, count: width) }
      }
    }
  }

  /// An update of every row of the step: `sweep` hands each row's place, W' and dW to the closure that it is given. The
  /// new rows' norms are gathered on the way.
  func updateAll(
    with rule: UpdateRule,
    _ sweep: ((_ place: Int, _ current: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>) -> Void) -> Void
  ) {
    let (values, states) = (value.baseAddress!, states)
    sweep { place, current, gradient in
      let row = activeRows.map { Int($0[place]) } ?? place
      update(row, of: values, states, from: current, gradient, rule)
    }
    normState = .current
  }

  /// Updates `rows` with the gathered gradient, as `ParameterUpdate` does it to the bit, with the new rows' norms on the way.
  ///
  /// Pieces may come in any order, as their allreduce finishes; the norms count once all rows had their turn.
  /// One read of W, dW and state, one write of W, state and, where cleared for the next step, dW.
  package func update(_ rows: Range<Int>, with rule: UpdateRule, clearingGradient: Bool) {
    let updated: Int
    switch normState {
    case .unknown, .current, .projected: updated = rows.count
    case .updating(let former): updated = former + rows.count
    case .pending: preconditionFailure("An update of rows whose factors are pending")
    }
    let (values, gradients, states) = (value.baseAddress!, gradients, states)
    Parallel.ranges(rows.count) { part in
      for row in (rows.lowerBound + part.lowerBound)..<(rows.lowerBound + part.upperBound) {
        let gradient = gradients + row * width
        update(row, of: values, states, from: values + row * width, gradient, rule)
        if clearingGradient { gradient.update(repeating: 0, count: width) }
      }
    }
    normState = updated == rowCount ? .current : .updating(rows: updated)
  }

  private func update(
    _ row: Int, of values: UnsafeMutablePointer<Float>, _ states: [OptimizerState], from current: UnsafePointer<Float>,
    _ gradient: UnsafePointer<Float>, _ rule: UpdateRule
  ) {
    let updated = values + row * width
    rule.apply(current, into: updated, gradient: gradient, states: states, at: row * width, count: width)
    normMemory.elements[row] = rowNorm(updated, count: width)
  }
}
