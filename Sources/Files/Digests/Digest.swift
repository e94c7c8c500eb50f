import CXXHash

/// A fingerprint of bytes: XXH3 with 128 bits, at memory speed.
///
/// It finds accidents (a flipped bit, a replica that went astray), not forgery. Equal on every machine; the text is that
/// of `xxhsum -H2` and Python's `xxhash.xxh3_128_hexdigest`.
///
/// The corresponding C function is `XXH3_128bits`.
package struct Digest: Hashable, Sendable, CodedAsText {
  package static let meaning = "a digest of 32 hex digits"

  package let high: UInt64
  package let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  package init(of bytes: UnsafeRawBufferPointer) {
    self.init(XXH3_128bits(bytes.baseAddress, bytes.count))
  }

  init(_ hash: XXH128_hash_t) {
    self.init(high: hash.high64, low: hash.low64)
  }

  /// Reads what `description` writes; nil for anything else.
  package init?(_ text: some StringProtocol) {
    let digits = Array(text.utf8)
    guard digits.count == 32, digits.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }),
      let high = UInt64(text.prefix(16), radix: 16), let low = UInt64(text.suffix(16), radix: 16)
    else { return nil }
    self.init(high: high, low: low)
  }

  /// 32 hexadecimal digits, the high half first.
  package var description: String { high.digits(16, radix: 16) + low.digits(16, radix: 16) }
}

/// The digest of bytes that come piece by piece: equal to that of the whole, however it is cut.
///
/// The corresponding C functions are `XXH3_128bits_reset`, `_update` and `_digest`.
package struct DigestStream: ~Copyable {
  private let state: OpaquePointer

  package init() {
    guard let state = XXH3_createState() else { fatalError("Out of memory: no state for a digest.") }
    self.state = state
    XXH3_128bits_reset(state)
  }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    // Without bytes there may be no address, which the C function takes for a mistake.
    guard let address = bytes.baseAddress, !bytes.isEmpty else { return }
    let code = XXH3_128bits_update(state, address, bytes.count)
    precondition(code == XXH_OK, "XXH3_128bits_update of \(bytes.count) bytes failed with \(code)")
  }

  /// The digest of all bytes so far; more may follow.
  package var digest: Digest { Digest(XXH3_128bits_digest(state)) }

  deinit { XXH3_freeState(state) }
}
