/// The score next to a rank's own in one direction, on other ranks, whichever fold is left out.
struct NearestScore: Equatable, Sendable {
  private(set) var nearest: ScoredPair?
  /// The nearest of another fold than the nearest's.
  private(set) var ofAnotherFold: ScoredPair?

  /// Pairs are added in the order of their distance.
  mutating func add(_ pair: ScoredPair) {
    guard let nearest else { return nearest = pair }
    if ofAnotherFold == nil, pair.fold != nearest.fold { ofAnotherFold = pair }
  }

  /// In steps; nil where there is none.
  func steps(excluding fold: Int?) -> Int? { (nearest?.fold == fold ? ofAnotherFold : nearest)?.steps }

  /// For messages; what is missing is below any pair.
  var bits: [Int] { [nearest, ofAnotherFold].map { $0.map { Int($0.bits) } ?? Int.min } }

  /// What `bits` tells.
  static func pairs(_ bits: ArraySlice<Int>) -> [ScoredPair] {
    bits.filter { $0 != Int.min }.map { ScoredPair(bits: Int64($0)) }
  }
}
