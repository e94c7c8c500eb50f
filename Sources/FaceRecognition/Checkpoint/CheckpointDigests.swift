import Foundation

/// `digests.xxh128`: one line per file of a checkpoint, "32 hex digits, two spaces, name".
///
/// It covers what no digest inside a file can: headers, white space, and `state.json` itself. Its own bytes are covered
/// too: only the one way to write it is accepted.
struct CheckpointDigests: Equatable {
  /// In the order of `CheckpointFolder.digestedNames`.
  let digests: [Digest]

  /// Many times what the file has.
  static let maximumBytes = 4096

  init(_ digests: [Digest]) {
    precondition(digests.count == CheckpointFolder.digestedNames.count, "\(digests.count) digests of a checkpoint")
    self.digests = digests
  }

  init?(decoding data: Data) {
    let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
    let digests = lines.compactMap { Digest($0.prefix(32)) }
    guard digests.count == CheckpointFolder.digestedNames.count else { return nil }
    self.init(digests)
    guard encoded == data else { return nil }
  }

  var encoded: Data {
    Data(zip(digests, CheckpointFolder.digestedNames).map { "\($0)  \($1)\n" }.joined().utf8)
  }

  subscript(name: String) -> Digest? {
    CheckpointFolder.digestedNames.firstIndex(of: name).map { digests[$0] }
  }
}
