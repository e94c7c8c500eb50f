/// Two images or templates and what is known of them, in 12 bytes: lists of this field have 16 million.
package struct FacePair: Hashable, Sendable {
  private let places: (Int32, Int32)
  package let mark: PairMark

  package init(_ first: Int, _ second: Int, _ mark: PairMark) {
    places = (Int32(first), Int32(second))
    self.mark = mark
  }

  package init(_ first: Int, _ second: Int, same: Bool, fold: Int = 0) {
    self.init(first, second, PairMark(same: same, fold: fold))
  }

  /// Numbers of images, or places of templates.
  package var first: Int { Int(places.0) }
  package var second: Int { Int(places.1) }
  /// Whether both show the same person.
  package var same: Bool { mark.same }
  /// The part of a cross validation that the pair belongs to; 0 where there are none.
  package var fold: Int { mark.fold }

  package static func == (a: FacePair, b: FacePair) -> Bool { a.places == b.places && a.mark == b.mark }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(places.0)
    hasher.combine(places.1)
    hasher.combine(mark)
  }
}

extension [FacePair] {
  /// Gives pairs without folds some.
  package mutating func assignFolds(_ assignment: FoldAssignment = .init()) {
    var assignment = assignment
    for place in indices {
      self[place] = FacePair(self[place].first, self[place].second, assignment.mark(same: self[place].same))
    }
  }
}
