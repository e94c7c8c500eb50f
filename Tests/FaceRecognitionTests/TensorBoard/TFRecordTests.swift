import Files
import Foundation
import Reports
import Testing

struct TFRecordTests {
  /// RFC 3720, appendix B.4, and the check value of the CRC catalogue.
  @Test func checksums() {
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(CRC32C.checksum((0..<32).map(UInt8.init)) == 0x46DD_794E)
    #expect(CRC32C.checksum((0..<32).reversed().map(UInt8.init)) == 0x113F_DB5C)
    #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
    #expect(CRC32C.checksum([]) == 0)
  }

  @Test(arguments: [0, 1, 255, 70_000]) func frames(count: Int) throws {
    let payloads = [Data((0..<count).map { UInt8($0 % 251) }), Data("next".utf8)]
    let file = payloads.map(TFRecord.frame).reduce(Data(), +)
    #expect(file.count == payloads.reduce(0) { $0 + $1.count + 16 })
    #expect(try EventReader.records([UInt8](file)) == payloads.map { [UInt8]($0) })
  }

  @Test func histogramsCountEveryValueOnce() throws {
    let histogram = try #require(Histogram([0, 0.5, 1, 1, 2, 10] as [Float], buckets: 10))
    #expect(histogram.counts == [2, 2, 1, 0, 0, 0, 0, 0, 0, 1])
    #expect((histogram.minimum, histogram.maximum) == (0, 10))
    #expect((histogram.sum, histogram.sumOfSquares) == (14.5, 106.25))
    #expect(try #require(Histogram([3, 3, 3] as [Float])).counts == [3])
    #expect(Histogram([] as [Float]) == nil)
  }
}
