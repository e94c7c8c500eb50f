import Files
package import Foundation

/// TensorFlow's frame around a piece of data:
///
///     length of the payload (UInt64) | its checksum | payload | its checksum          all little-endian
///
/// Checksums are `CRC32C.masked`, of the eight bytes of the length and of the payload.
package enum TFRecord {
  package static func frame(_ payload: Data) -> Data {
    let length = bytes(of: UInt64(payload.count))
    var record = Data(capacity: payload.count + 16)
    record.append(contentsOf: length)
    record.append(contentsOf: bytes(of: CRC32C.masked(length)))
    record.append(payload)
    record.append(contentsOf: bytes(of: payload.withUnsafeBytes { CRC32C.masked($0) }))
    return record
  }

  private static func bytes(of number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { [UInt8]($0) }
  }
}
