/// The samples of each class, by counting sort: two flat arrays, whatever the number of people.
package struct ClassIndex: Sendable {
  private let members: [Int32]
  private let starts: [Int]

  package init(_ source: any ImageSource) {
    var starts = [Int](repeating: 0, count: source.classNames.count + 1)
    for sample in 0..<source.count { starts[source.label(of: sample) + 1] += 1 }
    for label in 1..<starts.count { starts[label] += starts[label - 1] }
    var ends = starts
    var members = [Int32](repeating: 0, count: source.count)
    for sample in 0..<source.count {
      let label = source.label(of: sample)
      members[ends[label]] = Int32(sample)
      ends[label] += 1
    }
    self.members = members
    self.starts = starts
  }

  /// The samples of a class, ascending.
  package func samples(of label: Int) -> ArraySlice<Int32> { members[starts[label]..<starts[label + 1]] }

  /// The other samples of `sample`'s class, beginning with the one after it and going round.
  ///
  /// Found by halving and listed as they are asked for: a class may be the whole set.
  package func successors(of sample: Int, label: Int) -> some Sequence<Int> {
    let all = samples(of: label)
    var (position, end) = (all.startIndex, all.endIndex)
    while position < end {
      let middle = (position + end) / 2
      if all[middle] < sample { position = middle + 1 } else { end = middle }
    }
    precondition(position < all.endIndex && all[position] == sample, "Sample \(sample) is not of class \(label)")
    let first = position - all.startIndex
    return (1..<all.count).lazy.map { Int(all[all.startIndex + (first + $0) % all.count]) }
  }
}
