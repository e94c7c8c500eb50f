/// A rank's report to rank 0's watchdog.
///
/// The ranks run the same program on the same kind of processor, so words travel as they are.
package struct WatchMessage: Equatable, Sendable {
  package enum Kind: UInt64, Sendable {
    case report, farewell
  }

  /// Known to the ranks of this job only: nobody else is listened to.
  var token: UInt64
  var kind: Kind
  var rank: Int
  var glance: Activity.Glance

  private static let wordCount = 5
  /// The routine's name, and at least one zero behind it.
  private static let nameBytes = 48
  package static let byteCount = 8 * wordCount + nameBytes

  package var bytes: [UInt8] {
    let words = [
      token, kind.rawValue, UInt64(rank), UInt64(bitPattern: Int64(glance.step ?? -1)),
      UInt64(max(glance.seconds, 0) * 1000),
    ]
    let name = Array((glance.routine ?? "").utf8.prefix(Self.nameBytes - 1))
    return words.withUnsafeBytes { Array($0) } + name + [UInt8](repeating: 0, count: Self.nameBytes - name.count)
  }

  package init(token: UInt64, kind: Kind, rank: Int, glance: Activity.Glance) {
    self.token = token
    self.kind = kind
    self.rank = rank
    self.glance = glance
  }

  /// Nil for bytes that no rank of this job sent.
  package init?(_ bytes: [UInt8], token expected: UInt64, ranks: Int) {
    guard bytes.count == Self.byteCount else { return nil }
    let words = bytes.withUnsafeBytes { memory in
      (0..<Self.wordCount).map { memory.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self) }
    }
    guard words[0] == expected, let kind = Kind(rawValue: words[1]), words[2] < UInt64(ranks) else { return nil }
    let name = bytes[(8 * Self.wordCount)...].prefix { $0 != 0 }
    guard name.allSatisfy({ $0 > 32 && $0 < 127 }) else { return nil }
    let step = Int64(bitPattern: words[3])
    self.init(
      token: expected, kind: kind, rank: Int(words[2]),
      glance: .init(
        step: step < 0 ? nil : Int(step), routine: name.isEmpty ? nil : String(decoding: name, as: UTF8.self),
        seconds: Double(words[4]) / 1000))
  }
}
