/// Work divided evenly: among threads, ranks, folds.
package enum Share {
  /// The part-th of `parts` contiguous shares of 0..<count; sizes differ by one at most.
  package static func range(of count: Int, _ part: Int, _ parts: Int) -> Range<Int> {
    let (size, rest) = count.quotientAndRemainder(dividingBy: parts)
    let start = part * size + min(part, rest)
    return start..<(start + size + (part < rest ? 1 : 0))
  }
}
