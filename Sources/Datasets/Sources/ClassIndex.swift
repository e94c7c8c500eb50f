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
  package func successors(of sample: Int, label: Int) -> some Sequence<Int> {
    let all = samples(of: label)
    // Of a million images without labels all are of one class.
    var (low, high) = (all.startIndex, all.endIndex)
    while low < high {
      let middle = (low + high) / 2
      if Int(all[middle]) < sample { low = middle + 1 } else { high = middle }
    }
    precondition(low < all.endIndex && Int(all[low]) == sample, "Sample \(sample) is not of class \(label)")
    return (0..<(all.count - 1)).lazy.map { Int(all[all.startIndex + (low - all.startIndex + 1 + $0) % all.count]) }
  }
}
