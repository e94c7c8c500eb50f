/// CRC-32, the checksum of ZIP archives: the polynomial 0x04C11DB7, reflected (ITU-T V.42). `CRC32C` is another one.
package enum CRC32 {
  /// Eight bytes at a time: a weight file has gigabytes.
  package static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    tables.withUnsafeBufferPointer { table in
      var crc: UInt32 = ~0
      var position = 0
      while bytes.count - position >= 8 {
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)) ^ UInt64(crc)
        crc = 0
        for i in 0..<8 {
          let byte = Int(UInt8(truncatingIfNeeded: word >> UInt64(8 * i)))
          crc ^= table[(7 - i) * 256 + byte]
        }
        position += 8
      }
      for byte in bytes[position...] { crc = table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ (crc >> 8) }
      return ~crc
    }
  }

  /// Table k, from 256 k on: what a byte does to the checksum with k zero bytes behind it.
  private static let tables: [UInt32] = {
    var tables: [UInt32] = []
    for byte in 0..<256 as Range<UInt32> {
      var crc = byte
      for _ in 0..<8 { crc = crc & 1 == 0 ? crc >> 1 : crc >> 1 ^ 0xEDB8_8320 }
      tables.append(crc)
    }
    for entry in 256..<2048 {
      let before = tables[entry - 256]
      tables.append(tables[Int(before & 0xFF)] ^ (before >> 8))
    }
    return tables
  }()
}

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
