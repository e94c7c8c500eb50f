import CXXHash
import MPI

extension ImageSource {
  /// 32 hexadecimal digits that two ranks, or two runs, share where they see the same names, labels and file sizes in
  /// the same order. File contents are not read.
  ///
  /// XXH3, 128 bits. The corresponding C functions are `XXH3_128bits_update` and `XXH3_128bits_digest`.
  ///
  /// - Parameter acceptsAbsent: a file that is not there counts as one of no size, for those who name it later.
  /// - Throws: `DataError` where a file has gone.
  package func fingerprint(acceptsAbsent: Bool = false) throws -> String {
    guard let state = XXH3_createState() else { fatalError("Out of memory for a hash state") }
    defer { XXH3_freeState(state) }
    XXH3_128bits_reset(state)
    for sample in 0..<count {
      World.advance()
      var name = identifier(of: sample)
      name.withUTF8 { _ = XXH3_128bits_update(state, $0.baseAddress, $0.count) }
      // The zero ends the name: no name contains one, so no two lists of images hash the same bytes.
      let size = acceptsAbsent ? (try? encodedSize(of: sample)) ?? 0 : try encodedSize(of: sample)
      var numbers = (UInt64(0), UInt64(label(of: sample)).littleEndian, UInt64(size).littleEndian)
      withUnsafeBytes(of: &numbers) { _ = XXH3_128bits_update(state, $0.baseAddress, $0.count) }
    }
    let hash = XXH3_128bits_digest(state)
    return [hash.high64, hash.low64].map { half in
      let digits = String(half, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}
