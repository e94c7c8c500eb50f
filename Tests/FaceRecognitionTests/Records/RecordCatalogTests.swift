import Datasets
import Foundation
import Testing

/// With a catalog nothing that was changed is believed.
@Suite struct RecordCatalogTests {
  private let folder = TestFolder()
  private let file = RecordFixture.plain([(0, [1, 2, 3]), (1, [4]), (1, [5, 6])])
  private var record: String { folder.path + "/train.rec" }

  init() throws {
    folder.write(file.bytes, "train.rec")
    try RecordSet(path: record).writeCatalog()
  }

  private func reason(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "read"
    } catch {
      return "\(error)".replacingOccurrences(of: folder.path, with: "DIR")
    }
  }

  @Test func readsTheSame() throws {
    let source = try RecordSet(path: record)
    #expect(source.warrant == .catalog)
    #expect(source.classNames == ["0", "1"] && (0..<3).map(source.label) == [0, 1, 1])
    #expect((0..<3).map(source.identifier) == ["record 0", "record 1", "record 2"])
    #expect(try (0..<3).map(source.encodedImage) == [[1, 2, 3], [4], [5, 6]])
    let fingerprint = try source.fingerprint()
    try FileManager.default.removeItem(atPath: record + ".catalog")
    #expect(try RecordSet(path: record).fingerprint() == fingerprint)
  }

  @Test func changedRecordsAreRefused() throws {
    // The label of record 1, to one that is as good.
    var bytes = file.bytes
    bytes.replaceSubrange((file.offsets[1] + 12)..<(file.offsets[1] + 16), with: [0, 0, 0, 0])
    folder.write(bytes, "train.rec")
    let source = try RecordSet(path: record)
    #expect(
      reason { _ = try source.encodedImage(of: 1) }
        == "DIR/train.rec/record 1: its bytes are not those that the catalog knows. The file has been damaged or changed."
    )
    #expect(try source.encodedImage(of: 2) == [5, 6])
    // A byte of an image.
    bytes = file.bytes
    bytes[file.offsets[0] + 32] ^= 1
    folder.write(bytes, "train.rec")
    let other = try RecordSet(path: record)
    #expect(reason { _ = try other.encodedImage(of: 0) }.contains("not those that the catalog knows"))
  }

  @Test func catalogOfAnother() {
    folder.write(file.bytes + file.bytes, "train.rec")
    #expect(
      reason { _ = try RecordSet(path: record) }
        == "DIR/train.rec: it has \(2 * file.bytes.count) bytes, but its catalog, DIR/train.rec.catalog, which is whole, is "
        + "of \(file.bytes.count). The .rec was changed or replaced: copy it again from where it came. Only where it is "
        + "meant to be another one take the catalog away, and seal it with 'cosface dataset check --seal'.")
  }

  /// The catalog protects: it is the .rec that is blamed.
  @Test func aRecordFileCutBesideItsCatalog() {
    folder.write(Array(file.bytes.dropLast(8)), "train.rec")
    let reason = reason { _ = try RecordSet(path: record) }
    #expect(reason.hasPrefix("DIR/train.rec: it has \(file.bytes.count - 8) bytes, but its catalog"), "\(reason)")
    #expect(reason.contains("The .rec was cut off or replaced: copy it again"), "\(reason)")
  }

  @Test func everyChangedByteOfACatalogIsRefused() throws {
    let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: record + ".catalog")))
    var believed: [Int] = []
    for place in whole.indices {
      var bytes = whole
      bytes[place] ^= 0x10
      folder.write(bytes, "train.rec.catalog")
      if (try? RecordSet(path: record)) != nil { believed.append(place) }
    }
    #expect(believed.isEmpty, "\(believed) of \(whole.count)")
    for length in stride(from: 0, to: whole.count, by: 7) {
      folder.write(Array(whole[..<length]), "train.rec.catalog")
      #expect(throws: (any Error).self) { try RecordSet(path: record) }
    }
  }
}
