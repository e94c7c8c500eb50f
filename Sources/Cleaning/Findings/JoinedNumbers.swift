/// Numbers 0..<count joined into groups (union and find with path halving).
struct JoinedNumbers {
  private var parents: [Int]

  init(_ count: Int) { parents = Array(0..<count) }

  /// The number that stands for the group of `number`.
  mutating func root(of number: Int) -> Int {
    var number = number
    while parents[number] != number {
      parents[number] = parents[parents[number]]
      number = parents[number]
    }
    return number
  }

  /// Joins two groups; the root of `kept` stands for both.
  mutating func join(_ joined: Int, to kept: Int) { parents[root(of: joined)] = root(of: kept) }
}
