import Glibc

/// Names numbered in the order in which they first come, found by their bytes: for lists that name the same few hundred thousand
/// again and again, without a `String` for each line.
///
/// Open addressing by digests of 64 bits, then byte by byte; about 20 bytes a name beside its own.
package struct NameIndex: Sendable {
  private static let empty: Int32 = -1

  /// All names, one behind the other.
  private var bytes: [UInt8] = []
  /// Where each begins, and the end of the last. (count + 1)
  private var starts = [0]
  /// A power of two of places, at least twice as many as names: the number of one, or `empty`.
  private var slots = [Int32](repeating: empty, count: 16)

  package init() {}

  package var count: Int { starts.count - 1 }

  package subscript(number: Int) -> String { withName(number) { String(decoding: $0, as: UTF8.self) } }

  /// The number of a name, which is put behind the others if it is new.
  package mutating func number(of name: UnsafeRawBufferPointer) -> (number: Int, isNew: Bool) {
    let slot = slot(of: name)
    if slots[slot] != Self.empty { return (Int(slots[slot]), false) }
    let number = count
    slots[slot] = Int32(number)
    bytes.append(contentsOf: name)
    starts.append(bytes.count)
    if 2 * count > slots.count { grow() }
    return (number, true)
  }

  private func withName<Result>(_ number: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    bytes.withUnsafeBytes { body(.init(rebasing: $0[starts[number]..<starts[number + 1]])) }
  }

  /// Where a name stands, or would.
  private func slot(of name: UnsafeRawBufferPointer) -> Int {
    var slot = Int(truncatingIfNeeded: Digest(of: name).low) & (slots.count - 1)
    while slots[slot] != Self.empty,
      !withName(
        Int(slots[slot]),
        { $0.count == name.count && (name.isEmpty || memcmp($0.baseAddress!, name.baseAddress!, name.count) == 0) })
    {
      slot = (slot + 1) & (slots.count - 1)
    }
    return slot
  }

  private mutating func grow() {
    slots = [Int32](repeating: Self.empty, count: 2 * slots.count)
    for number in 0..<count {
      let place = withName(number) { slot(of: $0) }
      slots[place] = Int32(number)
    }
  }
}
