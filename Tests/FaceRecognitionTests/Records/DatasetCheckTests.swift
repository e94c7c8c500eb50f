import Datasets
import Foundation
import TestSupport
import Testing

@Suite struct DatasetCheckTests {
  private let folder = TestFolder.faces(people: 3, images: 3)

  @Test func soundSets() throws {
    let check = try DatasetCheck(path: folder.path, workers: 2)
    #expect(check.isSound && check.sizes == ["16 x 16": 9] && check.peopleWithOneImage.isEmpty)
    #expect(check.info.images == 9 && check.info.people == 3 && check.info.form == "folder")
    #expect(check.info.imagesPerPerson?.smallest == 3 && check.info.peopleWithOneImage == 0)
  }

  @Test func findings() throws {
    let image = Picture.constant(9, 9, 9, width: 8, height: 8).jpeg()
    folder.write(image, "person-0/twice.jpg")
    folder.write(image, "person-0/thrice.jpg")
    folder.write(Picture.constant(1, 1, 1).jpeg(), "person-1/x.jpg")
    folder.write(Picture.constant(1, 1, 1).jpeg(), "lonely/x.jpg")
    folder.write(Array(image.dropLast(40)), "person-2/cut.jpg")
    let check = try DatasetCheck(path: folder.path, workers: 3)
    #expect(!check.isSound)
    #expect(check.unreadable.map(\.identifier) == ["person-2/cut.jpg"])
    #expect(check.sizes == ["16 x 16": 11, "8 x 8": 2])
    #expect(check.peopleWithOneImage == ["lonely"])
    #expect(
      check.duplicates.map(\.images) == [
        ["lonely/x.jpg", "person-1/x.jpg"], ["person-0/thrice.jpg", "person-0/twice.jpg"],
      ])
    #expect(check.duplicates.map(\.samePerson) == [false, true])
    #expect(try DatasetCheck(path: folder.path, workers: 1) == check)
  }

  @Test func asThePersonAtTheTerminalSeesIt() throws {
    folder.makeFolder("../\((folder.path as NSString).lastPathComponent)-rec")
    let record = folder.path + "-rec/train.rec"
    defer { try? FileManager.default.removeItem(atPath: folder.path + "-rec") }
    let packed = try Subprocess.cosface(["dataset", "pack", folder.path, record, "--workers", "2"])
    #expect(packed.exitCode == 0 && packed.text.contains("9 images of 3 people"), "\(packed.text)")
    let info = try Subprocess.cosface(["dataset", "info", record])
    #expect(info.exitCode == 0 && info.text.contains("images       9"), "\(info.text)")
    #expect(info.text.contains("a digest of each record, compared whenever it is read"), "\(info.text)")
    let good = try Subprocess.cosface(["dataset", "check", record, "--json"])
    let json = good.lines.drop { $0 != "{" }.joined(separator: "\n")
    #expect(good.exitCode == 0)
    #expect(try JSONDecoder().decode(DatasetCheck.self, from: Data(json.utf8)).sizes == ["16 x 16": 9])
    // A byte of a picture.
    var bytes = try Data(contentsOf: URL(fileURLWithPath: record))
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: URL(fileURLWithPath: record))
    let bad = try Subprocess.cosface(["dataset", "check", record])
    #expect(bad.exitCode == 1 && bad.text.contains("its bytes are not those that the catalog knows"), "\(bad.text)")
    let seal = try Subprocess.cosface(["dataset", "check", folder.path, "--seal"])
    #expect(seal.exitCode != 0 && seal.text.contains("only a .rec and a .bin can be sealed"), "\(seal.text)")
    let unpacked = try Subprocess.cosface(["dataset", "unpack", record, folder.path + "-rec/out"])
    #expect(unpacked.exitCode != 0 && unpacked.text.contains("catalog knows"), "\(unpacked.text)")
    for (arguments, words) in [
      (["pack", folder.path, folder.path + "-rec/x.tar"], "must end in .rec"),
      (["info", "/nowhere"], "/nowhere: there is no"),
      (["pack", folder.path, record, "--quality", "0"], "a whole number from 1 to 100 is needed"),
      (["pack", folder.path, record], "it exists already"),
    ] {
      let refused = try Subprocess.cosface(["dataset"] + arguments)
      #expect(refused.exitCode != 0 && refused.text.contains(words), "\(refused.text)")
      #expect(refused.lines.count { $0.hasPrefix("Error: ") } == 1, "\(refused.text)")
    }
  }
}
