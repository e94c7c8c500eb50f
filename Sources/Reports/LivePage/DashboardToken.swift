/// A secret of 128 bits, in hexadecimal.
struct DashboardToken: Sendable {
  let text: String

  init() {
    // The system's own source of randomness, which is meant for secrets.
    var random = SystemRandomNumberGenerator()
    text = (0..<4).map { _ in
      let digits = String(random.next() as UInt32, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
  }

  /// Takes the same time wherever the first wrong character is.
  func matches(_ given: String) -> Bool {
    let (mine, theirs) = (Array(text.utf8), Array(given.utf8))
    guard mine.count == theirs.count else { return false }
    return zip(mine, theirs).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }
}
