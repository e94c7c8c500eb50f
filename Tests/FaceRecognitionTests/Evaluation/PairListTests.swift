import Datasets
import Evaluation
import Files
import Foundation
import Testing

@Suite struct PairListTests {
  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for name in ["Ann_B/Ann_B_0001.jpg", "Ann_B/Ann_B_0002.png", "Zoë/Zoë_0001.pgm", "Li Wu/Li Wu_12345.jpg"] {
      try folder.write(to: name)
    }
    return folder
  }

  private func read(_ text: String, _ folder: TemporaryFolder) throws(DataError) -> PairList {
    try PairList(DelimitedText(Array(text.utf8), path: "pairs.txt"), root: folder.path)
  }

  @Test(arguments: ["\n", "\r\n"]) func lfwFolds(newline: String) throws {
    let folder = try folder()
    let lines = ["2\t1", "Ann_B\t1\t2", "Ann_B\t2\tZoë\t1", "Zoë\t1\t1", "Li Wu\t12345\tAnn_B\t1"]
    let list = try read(lines.joined(separator: newline) + newline, folder)
    #expect(list.foldCount == 2)
    let images = ["Ann_B/Ann_B_0001.jpg", "Ann_B/Ann_B_0002.png", "Zoë/Zoë_0001.pgm", "Li Wu/Li Wu_12345.jpg"]
    #expect(list.images == images.map { folder[$0] })
    #expect(
      list.pairs == [
        FacePair(0, 1, same: true), FacePair(1, 2, same: false), FacePair(2, 2, same: true, fold: 1),
        FacePair(3, 0, same: false, fold: 1),
      ])
  }

  @Test func lfwDevelopmentListWithSpaces() throws {
    let list = try read("\u{FEFF}1\nAnn_B 1 2\nAnn_B 2 Zoë 1", try folder())
    #expect(list.foldCount == 1 && list.pairs.map(\.same) == [true, false] && list.images.count == 3)
  }

  @Test func plainList() throws {
    let folder = try folder()
    let text = """
      # comment

      Ann_B/Ann_B_0001.jpg  Ann_B/Ann_B_0002.png 1
      Ann_B/Ann_B_0001.jpg,Zoë/Zoë_0001.pgm, 0
      Li Wu/Li Wu_12345.jpg\t\(folder["Zoë/Zoë_0001.pgm"])\t0
      """
    let list = try read(text, folder)
    #expect(list.foldCount == 0 && list.images.count == 5 - 1)
    #expect(
      list.pairs == [FacePair(0, 1, same: true), FacePair(0, 2, same: false), FacePair(3, 2, same: false)])
  }

  @Test(
    arguments: [
      ("", nil, "empty list"),
      ("# only a comment", nil, "without pairs"),
      ("10 300\nAnn_B\t1\t2", 2, "but 1 lines follow it"),
      ("0\n", 1, "above 0"),
      ("-1 3\n", 1, "above 0"),
      ("9223372036854775807 9223372036854775807\nAnn_B\t1\t2", 2, "lines follow it"),
      ("4611686018427387905 1\nAnn_B\t1\t2\nAnn_B\t2\tZoë\t1", 3, "lines follow it"),
      ("1\nAnn_B\t1\t2\nAnn_B\t1\t2\nAnn_B\t2\tZoë\t1", 4, "but 3 lines follow it"),
      ("1\nAnn_B\t1\tZoë\t1\nAnn_B\t2\tZoë\t1", 2, "'name n1 n2'"),
      ("1\nAnn_B\t1\t2\nAnn_B\t1\t2", 3, "'name1 n1 name2 n2'"),
      ("1\nAnn_B\t1\t2\nAnn_B\t1\tAnn_B\t2", 3, "names 'Ann_B' twice"),
      ("1\nAnn_B\t1\tx\nAnn_B\t2\tZoë\t1", 2, "'x' is no number"),
      ("1\nAnn_B\t1\t-2\nAnn_B\t2\tZoë\t1", 2, "'-2' is no number"),
      ("1\n../Ann_B\t1\t2\nAnn_B\t2\tZoë\t1", 2, "no name of a person"),
      ("Ann_B/Ann_B_0001.jpg Ann_B/Ann_B_0002.png", 1, "2 fields"),
      ("Ann_B/Ann_B_0001.jpg Ann_B/Ann_B_0002.png 2", 1, "the last field is '2'"),
      ("a b " + String(repeating: "1", count: 100_000), 1, "a field of 100000 bytes"),
      (String(repeating: "a", count: 100_000) + " b 1", 1, "a field of 100000 bytes"),
      ("1\nAnn_B\t1\t2\nAnn_B\t2\tZoë\t" + String(repeating: "1", count: 100_000), 3, "a field of 100000 bytes"),
    ] as [(String, Int?, String)])
  func badList(text: String, line: Int?, reason: String) throws {
    let folder = try folder()
    let error = #expect(throws: DataError.self) { try read(text, folder) }
    #expect(error?.path == "pairs.txt" + (line.map { ", line \($0)" } ?? ""))
    #expect(error?.reason.contains(reason) == true, "\(error.map { "\($0)" } ?? "")")
  }

  @Test(
    arguments: [
      "image_a image_b same\nAnn_B/Ann_B_0001.jpg Ann_B/Ann_B_0002.png 1\nAnn_B/Ann_B_0001.jpg Zoë/Zoë_0001.pgm 0\n",
      "\"left\",\"right\",\"verdict\"\n\"Ann_B/Ann_B_0001.jpg\",\"Ann_B/Ann_B_0002.png\",\"1\"\n"
        + "Ann_B/Ann_B_0001.jpg,Zoë/Zoë_0001.pgm,0,\n",
      "is_same\tfirst\tsecond\n1\tAnn_B/Ann_B_0001.jpg\tAnn_B/Ann_B_0002.png\n"
        + "0\tAnn_B/Ann_B_0001.jpg\tZoë/Zoë_0001.pgm\n",
    ]) func titles(text: String) throws
  {
    let list = try read(text, folder())
    #expect(list.pairs == [FacePair(0, 1, same: true), FacePair(0, 2, same: false)] && list.absent.isEmpty)
    #expect(list.notes.count == 1 && list.notes[0].hasPrefix("pairs.txt, line 1: '"))
    #expect(list.notes[0].hasSuffix("' was taken for titles of the columns"))
  }

  @Test func quotes() throws {
    let folder = try folder()
    try folder.write(to: "b, \"c\".jpg")
    let list = try read(
      "\"Li Wu/Li Wu_12345.jpg\" Ann_B/Ann_B_0002.png 0\n\"b, \"\"c\"\".jpg\",\"Ann_B/Ann_B_0002.png\",1\n", folder)
    #expect(list.images == ["Li Wu/Li Wu_12345.jpg", "Ann_B/Ann_B_0002.png", "b, \"c\".jpg"].map { folder[$0] })
    #expect(list.absent.isEmpty && list.notes == [])
  }

  /// Kaggle's copy has titles, and commas behind the pairs of one person.
  @Test func lfwWithoutHeader() throws {
    let folder = try folder()
    let fold = "Ann_B,1,2,\nAnn_B,2,1,\nAnn_B,2,Zoë,1\nZoë,1,Ann_B,1\n"
    let list = try read("name,imagenum1,imagenum2,\n" + fold + fold, folder)
    #expect(list.foldCount == 2 && list.absent.isEmpty)
    #expect(list.pairs.map(\.same) == [true, true, false, false, true, true, false, false])
    #expect(list.pairs.map(\.fold) == [0, 0, 0, 0, 1, 1, 1, 1])
    #expect(list.notes.count == 2 && list.notes[0].contains("line 1: 'name,imagenum1,imagenum2,' was taken for titles"))
    #expect(list.notes[1].contains("the header line is missing (LFW's is '10 300'"))
    #expect(list.notes[1].hasSuffix("read were 4 pairs of one person and 4 of two people, by their order 2 folds"))
    // Without order there are pairs, but no folds.
    let mixed = try read("Ann_B 1 2\nAnn_B 2 Zoë 1\nZoë 1 Ann_B 1\n", folder)
    #expect(mixed.foldCount == 0 && mixed.pairs.map(\.same) == [true, false, false])
    #expect(mixed.notes.count == 1 && mixed.notes[0].hasSuffix("without folds"))
    let error = #expect(throws: DataError.self) { try read("Ann_B 1 2\nAnn_B 2 Zoë\n", folder) }
    #expect(error?.description.hasPrefix("pairs.txt, line 2: 'name n1 n2' (a pair of one person) or") == true)
  }

  @Test(arguments: ["1,1\n", "1;1\n", "1 1\nname,n1,n2,n3\n", "name\tn1\tn2\n1\t1\n", "# LFW\n\n1, 1,\n"])
  func lfwHeaders(header: String) throws {
    let list = try read(header + "Ann_B,1,2\nAnn_B,2,Zoë,1", folder())
    #expect(list.foldCount == 1 && list.pairs.map(\.same) == [true, false] && list.absent.isEmpty)
    #expect(list.notes.count == (header.contains("name") ? 1 : 0))
  }

  /// To String one text, to a disk two names.
  @Test func namesAreBytes() throws {
    let folder = try folder()
    let (composed, apart) = ("Zo\u{EB}", "Zoe\u{308}")
    for name in [composed, apart] { try folder.write(to: "\(name)/\(name)_0001.jpg") }
    let plain = try read("\(composed)/\(composed)_0001.jpg \(apart)/\(apart)_0001.jpg 0\n", folder)
    #expect(plain.images.count == 2 && plain.pairs == [FacePair(0, 1, same: false)])
    // `folder()` has the composed one as .pgm as well.
    let lfw = try read("1\n\(composed)\t1\t1\n\(composed)\t1\t\(apart)\t1\n", folder)
    #expect(lfw.pairs == [FacePair(0, 0, same: true), FacePair(0, 1, same: false)] && lfw.absent.isEmpty)
    #expect(
      lfw.images.map { Array($0.utf8.suffix(14)) }
        == [composed, apart].map { Array("/\($0)_0001.jpg".utf8.suffix(14)) })
    // An accent behind a tab is no part of it.
    let accent = try read("Ann_B/Ann_B_0001.jpg\t\u{301}.jpg\t0\n", folder)
    #expect(accent.images.count == 2)
  }

  /// Absent images are counted with the unreadable ones, where they are compared; all are named before any is read.
  @Test func absentImages() throws {
    let folder = try folder()
    let lfw = try read("1\nAnn_B\t1\t3\nAnn_B\t2\tZoë\t1", folder)
    #expect(lfw.absent.map(\.line) == [2] && lfw.images[1] == folder["Ann_B/Ann_B_0003.jpg"])
    #expect(lfw.absent[0].image == folder["Ann_B/Ann_B_0003.jpg|jpeg|png|pgm|ppm|jfif|jpe|jif|jfi|pnm|apng"])
    let plain = try read(
      "\nAnn_B/Ann_B_0001.jpg Ann_B/absent.png 1\nAnn_B/absent.png Zoë/no.jpg 0\r\nZoë/no.jpg Ann_B/absent.png 0",
      folder)
    #expect(plain.absent.map(\.line) == [2, 3] && plain.images.count == 3)
    let error = #expect(throws: DataError.self) { try Verification(plain, maximumBadImages: 0.34) }
    #expect(error?.reason.hasPrefix("2 of 3 images are not there, where 1 may be unreadable\n  line 2: ") == true)
    #expect(error?.reason.contains("absent.png") == true && error?.reason.contains("line 3: ") == true)
    #expect(try Verification(plain, maximumBadImages: 0.7).samples == [0, 1, 2])
  }

  @Test func badFiles() throws {
    let folder = try folder()
    #expect(throws: FileError.self) { try PairList(path: folder["absent.txt"], root: folder.path) }
    #expect(throws: FileError.self) { try PairList(path: folder.path, root: folder.path) }
    let latin = try folder.write(Data([0x5A, 0x6F, 0xEB, 0x20, 0x31]), to: "latin.txt")
    #expect(throws: DataError.self) { try PairList(path: latin, root: folder.path) }
    #expect(throws: DataError.self) { try read("Ann_B/Ann_B_0001.jpg\0 b 1", folder) }
    let good = try folder.write(Data("1\nAnn_B 1 2\nAnn_B 2 Zoë 1\n".utf8), to: "good.txt")
    #expect(try PairList(path: good, root: folder.path).pairs.count == 2)
  }
}
