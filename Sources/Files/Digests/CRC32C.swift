/// CRC-32C, the checksum of TFRecord files: Castagnoli's polynomial 0x1EDC6F41, reflected (RFC 3720, appendix B.4).
///
/// zlib's `crc32` is another polynomial.
package enum CRC32C {
  package static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(~0) { crc, byte in table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ (crc >> 8) }
  }

  /// As records hold it: a checksum over bytes that hold checksums is a poor one, so it is rotated and shifted.
  package static func masked(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let crc = checksum(bytes)
    return ((crc >> 15) | (crc << 17)) &+ 0xA282_EAD8
  }

  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { crc, _ in crc & 1 == 0 ? crc >> 1 : crc >> 1 ^ 0x82F6_3B78 }
  }
}
