/// What `Orthogonalization` does for a network's matrices, and how ranks divide it.
package struct MatrixWork: Sendable {
  /// Multiplications of a round for each trained parameter, and Floats of memory; 0 for what is no matrix.
  private let costs: [Double]
  private let memory: [Int]

  /// `trained` in the order of their store.
  package init(_ trained: some Collection<Parameter>) {
    let sizes = trained.map { parameter in
      Muon.isMatrix(parameter)
        ? (rows: parameter.shape[0], columns: parameter.count / parameter.shape[0]) : (rows: 0, columns: 0)
    }
    costs = sizes.map { rows, columns in
      let (k, l) = (Double(min(rows, columns)), Double(max(rows, columns)))
      return 3 * k * k * l + k * k * k
    }
    memory = sizes.map { Self.scratch($0.rows, $0.columns) }
  }

  /// Floats beside a gradient of this size: another one, and two squares.
  static func scratch(_ rows: Int, _ columns: Int) -> Int {
    let side = min(rows, columns)
    return rows * columns + 2 * side * side
  }

  /// For each rank its parameters, those of a rank behind those of the one before: a parameter belongs to the rank in whose
  /// share of all work its middle lies.
  func shares(ranks: Int) -> [Range<Int>] {
    let total = max(costs.reduce(0, +), 1)
    var counts = Array(repeating: 0, count: ranks)
    var before = 0.0
    for cost in costs {
      counts[min(Int(Double(ranks) * (before + cost / 2) / total), ranks - 1)] += 1
      before += cost
    }
    var end = 0
    return counts.map { count in
      defer { end += count }
      return end..<end + count
    }
  }

  /// The largest part of all work that one of the ranks has.
  package func largestShare(ranks: Int) -> Double {
    let total = max(costs.reduce(0, +), 1)
    return shares(ranks: ranks).reduce(0) { max($0, costs[$1].reduce(0, +)) } / total
  }

  /// Bytes of the rank that takes most.
  package func bytes(ranks: Int) -> Int {
    MemoryLayout<Float>.stride * shares(ranks: ranks).reduce(0) { max($0, memory[$1].reduce(0, +)) }
  }
}
