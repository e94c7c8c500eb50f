import CXXHash

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
