/// A number over the steps of a run, or over its seconds, in bounded memory however long the run is.
///
/// As it grows, neighbours are joined; the smallest and the largest of what was joined stay, so that no spike is lost.
package struct Curve: Equatable, Sendable {
  /// Values of neighbouring steps or seconds.
  package struct Piece: Equatable, Sendable {
    package private(set) var places: ClosedRange<Int>
    package private(set) var minimum: Double
    package private(set) var maximum: Double
    package private(set) var sum: Double
    package private(set) var count: Int
    package var mean: Double { sum / Double(count) }

    init(_ value: Double, at place: Int) {
      (places, minimum, maximum, sum, count) = (place...place, value, value, value, 1)
    }

    mutating func join(_ next: Piece) {
      // A damaged file may go backwards.
      places = min(places.lowerBound, next.places.lowerBound)...max(places.upperBound, next.places.upperBound)
      minimum = min(minimum, next.minimum)
      maximum = max(maximum, next.maximum)
      sum += next.sum
      count += next.count
    }
  }

  /// The most pieces: more than a chart has pixels to show.
  package static let capacity = 512

  package private(set) var pieces: [Piece] = []
  package private(set) var last: Double?
  /// Values that a full piece holds.
  private var fullCount = 1

  package init() {}

  /// Adds the value of the next step or second: O(1) on average.
  package mutating func append(_ value: Double, at place: Int) {
    last = value
    let new = Piece(value, at: place)
    if let end = pieces.indices.last, pieces[end].count < fullCount { return pieces[end].join(new) }
    if pieces.count == Self.capacity { halve() }
    pieces.append(new)
  }

  /// At most `count` pieces of the same values.
  package func coarser(_ count: Int) -> [Piece] {
    var copy = self
    while copy.pieces.count > count { copy.halve() }
    return copy.pieces
  }

  private mutating func halve() {
    pieces = stride(from: 0, to: pieces.count, by: 2).map { index in
      var piece = pieces[index]
      if index + 1 < pieces.count { piece.join(pieces[index + 1]) }
      return piece
    }
    fullCount *= 2
  }
}
