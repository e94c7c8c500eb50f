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

  private static let wordCount = 6
  /// A name, of the routine and then of the work, and at least one zero behind it.
  private static let nameBytes = 48
  package static let byteCount = 8 * wordCount + 2 * nameBytes

  package var bytes: [UInt8] {
    let words = [
      token, kind.rawValue, UInt64(rank), UInt64(bitPattern: Int64(glance.step ?? -1)),
      UInt64(max(glance.seconds, 0) * 1000),
      glance.idleSeconds.isFinite ? UInt64(max(glance.idleSeconds, 0) * 1000) : .max,
    ]
    return words.withUnsafeBytes { Array($0) } + Self.field(glance.routine) + Self.field(glance.work)
  }

  private static func field(_ name: String?) -> [UInt8] {
    let name = Array((name ?? "").utf8.prefix(nameBytes - 1))
    return name + [UInt8](repeating: 0, count: nameBytes - name.count)
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
    let names = (0..<2).map { bytes.dropFirst(8 * Self.wordCount + $0 * Self.nameBytes).prefix(Self.nameBytes) }
      .map { $0.prefix { $0 != 0 } }
    guard names.joined().allSatisfy({ $0 >= 32 && $0 < 127 }) else { return nil }
    let texts = names.map { $0.isEmpty ? nil : String(decoding: $0, as: UTF8.self) }
    let step = Int64(bitPattern: words[3])
    self.init(
      token: expected, kind: kind, rank: Int(words[2]),
      glance: .init(
        step: step < 0 ? nil : Int(step), routine: texts[0], seconds: Double(words[4]) / 1000, work: texts[1],
        idleSeconds: words[5] == .max ? .infinity : Double(words[5]) / 1000))
  }
}
