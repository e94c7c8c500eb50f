import MPI

/// The ranks that share the scores of a verification; nil is one process that has them all.
extension Communicator? {
  var ownRank: Int { self?.rank ?? 0 }
  var rankCount: Int { self?.size ?? 1 }

  /// Element by element the reduction of the ranks' arrays.
  func reduce(_ values: [Int], _ reduction: Reduction = .sum) throws(MPIError) -> [Int] {
    guard let self else { return values }
    return try self.allReduce(values, reduction)
  }

  /// Element by element the sum of the arrays of the ranks before.
  func sumBefore(_ values: [Int]) throws(MPIError) -> [Int] {
    guard let self else { return values.map { _ in 0 } }
    return try self.exclusiveSum(values)
  }

  /// The arrays of all ranks, which are of one length.
  func gather(_ values: [Int]) throws(MPIError) -> [[Int]] {
    guard let self else { return [values] }
    let all = try self.allGather(values, counts: [Int](repeating: values.count, count: self.size))
    return (0..<self.size).map { Array(all[($0 * values.count)..<(($0 + 1) * values.count)]) }
  }

  /// The sum of the ranks' numbers, in whole numbers: in any order the same.
  func sum(_ value: Int128) throws(MPIError) -> Int128 {
    // Four parts of 32 bits, of which 2^31 ranks may add theirs.
    let parts = (0..<4).map { part in
      let shifted = Int(truncatingIfNeeded: value >> Int128(32 * part))
      return part == 3 ? shifted : shifted & 0xFFFF_FFFF
    }
    return try reduce(parts).enumerated().reduce(Int128(0)) { $0 &+ Int128($1.element) << Int128(32 * $1.offset) }
  }

  /// The arrays of those ranks that have one, added up: of the only one it is the array itself.
  func shared(_ values: [Int]?, count: Int) throws(MPIError) -> [Int] {
    try reduce(values ?? [Int](repeating: 0, count: count))
  }

  /// The first rank for which `has` is true, or the last one; nil where there is none.
  func firstRank(where has: Bool) throws(MPIError) -> Int? {
    let first = try reduce([has ? ownRank : Int.max], .min)[0]
    return first == Int.max ? nil : first
  }

  func lastRank(where has: Bool) throws(MPIError) -> Int? {
    let last = try reduce([has ? ownRank : -1], .max)[0]
    return last < 0 ? nil : last
  }
}
