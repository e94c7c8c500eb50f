/// Two images and whether they show the same person.
package struct FacePair: Hashable, Sendable {
  /// Indices of images.
  package let first: Int
  package let second: Int
  package let same: Bool
  /// The part of a cross validation that the pair belongs to; 0 where there are none.
  package let fold: Int

  package init(_ first: Int, _ second: Int, same: Bool, fold: Int = 0) {
    self.first = first
    self.second = second
    self.same = same
    self.fold = fold
  }
}
