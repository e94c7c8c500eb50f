import Files
import Foundation

/// `digests.xxh128`: one line per file of a checkpoint, "32 hex digits, two spaces, name".
///
/// It covers what no digest inside a file can: headers, white space, and `state.json` itself. Its own bytes are covered
/// too: only the one way to write it is accepted.
struct CheckpointDigests: Equatable {
  /// In the order of `names`.
  let digests: [Digest]
  let names: [String]

  /// Some hundred thousand lines: many times what a file has.
  static let maximumBytes = 32 << 20

  /// Of a checkpoint with `parts` files of class rows.
  init(_ digests: [Digest], parts: Int = 0) {
    names = CheckpointFolder.digestedNames(parts: parts)
    precondition(digests.count == names.count, "\(digests.count) digests of \(names.count) files")
    self.digests = digests
  }

  init?(decoding data: Data) {
    let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
    let digests = lines.compactMap { Digest($0.prefix(32)) }
    // The number of lines says how many parts there are: the index comes with the first.
    let whole = CheckpointFolder.digestedNames(parts: 0).count
    let parts = digests.count - whole - 1
    guard digests.count == whole || parts > 0 else { return nil }
    self.init(digests, parts: max(parts, 0))
    guard encoded == data else { return nil }
  }

  var encoded: Data {
    Data(zip(digests, names).map { "\($0)  \($1)\n" }.joined().utf8)
  }

  subscript(name: String) -> Digest? {
    names.firstIndex(of: name).map { digests[$0] }
  }
}
