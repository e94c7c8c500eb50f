import Datasets
import Files
import Foundation
import Testing

@Suite struct FaceTableTests {
  private func table(_ text: String, _ kind: FaceTable.Kind = .landmarks, path: String = "list.csv") throws -> FaceTable
  {
    try FaceTable([DelimitedText(Array(text.utf8), path: path)], kind: kind)
  }

  private let points = "75.5,110.25,103,104.5,98.25,130,85,150,110.5,145"
  private var blanks: String { points.replacing(",", with: "  ") }

  private func expectPoints(_ table: FaceTable, _ names: [String]) {
    #expect(table.problems == [] && table.names == names)
    for row in 0..<table.count {
      #expect(
        table.landmarks(row).map { [$0.x, $0.y] } == [
          [75.5, 110.25], [103, 104.5], [98.25, 130], [85, 150], [110.5, 145],
        ])
    }
  }

  @Test(arguments: ["\n", "\r\n"], ["", "\u{FEFF}"]) func landmarkFormats(newline: String, mark: String) throws {
    let vgg = [
      "NAME_ID,P1X,P1Y,P2X,P2Y,P3X,P3Y,P4X,P4Y,P5X,P5Y", "\"n000002/0001_01\",\(points)",
      "\"n000003/0002_01\",\(points)",
    ]
    expectPoints(try table(mark + vgg.joined(separator: newline)), ["n000002/0001_01", "n000003/0002_01"])
    // Train and test, one behind the other.
    let both = (vgg + vgg[..<1] + ["\"n9/1\",\(points)", ""]).joined(separator: newline)
    expectPoints(try table(mark + both), ["n000002/0001_01", "n000003/0002_01", "n9/1"])

    let titles = ["lefteye", "righteye", "nose", "leftmouth", "rightmouth"].flatMap { ["\($0)_x", "\($0)_y"] }
    let celebA = ["2", titles.joined(separator: " ") + " ", "000001.jpg \(blanks)", "000002.jpg    \(blanks)"]
    expectPoints(try table(mark + celebA.joined(separator: newline)), ["000001.jpg", "000002.jpg"])
    let kaggle = ["image_id," + titles.joined(separator: ","), "000001.jpg,\(points)"]
    expectPoints(try table(mark + kaggle.joined(separator: newline)), ["000001.jpg"])

    let plain = ["path,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5", "Zoë/1.jpg,\(points)", "# said", "", "a/b.png,\(points)"]
    expectPoints(try table(mark + plain.joined(separator: newline)), ["Zoë/1.jpg", "a/b.png"])
    expectPoints(try table(mark + plain.dropFirst().joined(separator: newline)), ["Zoë/1.jpg", "a/b.png"])
    // Names may hold blanks between tabs; a detector's score stands behind.
    expectPoints(try table(mark + "./my face.jpg\t" + points.replacing(",", with: "\t") + "\t0.98"), ["my face.jpg"])
    expectPoints(try table(mark + "1.jpg \(blanks) 0.9"), ["1.jpg"])
  }

  @Test func boxFormats() throws {
    let vgg = try table("NAME_ID,X,Y,W,H\n\"n1/1\",161,140,224,324.5\n", .boxes)
    #expect(vgg.names == ["n1/1"] && vgg.box(0) == (161, 140, 224, 324.5))
    let celebA = try table("1\nimage_id x_1 y_1 width height\n000001.jpg    95  71 226 313\n", .boxes)
    #expect(celebA.names == ["000001.jpg"] && celebA.box(0) == (95, 71, 226, 313))
    let edges = try table("path,left,top,right,bottom\na.jpg,10,20,50.5,70\n", .boxes)
    #expect(edges.box(0) == (10, 20, 40.5, 50))
    let list =
      "00000001 http://a.b/c,d.jpg 41.00 54.00 181.00 193.00 1.00 2.01 1\n00000002 https://e.f/g 1 2 3 5 0 1 0\n"
    let person = try table(list, .boxes, path: "lists/A.J._Buckley.txt")
    #expect(person.names == ["A.J._Buckley/00000001", "A.J._Buckley/00000002"] && person.problems == [])
    #expect(person.box(0) == (41, 54, 140, 139) && person.box(1) == (1, 2, 2, 3))
  }

  /// InsightFace's lists have all x before all y, and edges of the box.
  @Test func insightFacesLists() throws {
    let points = "75.5\t103\t98.25\t85\t110.5\t110.25\t104.5\t130\t150\t145"
    let list = "0\tann/my face.jpg\t0\t10\t20\t50\t70\t\(points)\n0\tbo/2.jpg\t1\t10\t20\t50\t70\t\(points)\n"
    expectPoints(try table(list), ["ann/my face.jpg", "bo/2.jpg"])
    #expect(try table(list, .boxes).box(1) == (10, 20, 40, 50))
    #expect(try table("0\ta.jpg\t0\t10\t20\t50\t70\n", .boxes).box(0) == (10, 20, 40, 50))
  }

  @Test func aFolderOfLists() throws {
    let folder = try TemporaryFolder()
    for name in ["B_B", "A_A"] { try folder.write(Data("1 http://x 0 0 9 9 0 0 1\n".utf8), to: "\(name).txt") }
    try folder.write(Data("text".utf8), to: "README")
    let table = try FaceTable(path: folder.path, kind: .boxes)
    #expect(table.names == ["A_A/1", "B_B/1"] && table.files == ["A_A.txt", "B_B.txt"].map { folder[$0] })
    let empty = try TemporaryFolder()
    #expect(throws: DataError.self) { try FaceTable(path: empty.path, kind: .boxes) }
    #expect(throws: FileError.self) { try FaceTable(path: empty["absent.csv"], kind: .boxes) }
  }

  @Test func rowsOfNoUseAreNamed() throws {
    let rows = [
      "a/1.jpg,\(points)", "a/2.jpg,1,2,3", "a/3.jpg,\(points.replacing("103", with: "nan"))",
      "a/4.jpg,\(points.replacing("103", with: "x"))", "a/5.jpg,\(points.replacing("103", with: "1e300"))",
      "../6.jpg,\(points)", "/7.jpg,\(points)", ",\(points)", "a/..,\(points)",
      "a/9.jpg,\(points.replacing("103", with: ""))",
      "b/1.jpg,\(points)",
    ]
    let table = try table("path,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5\n" + rows.joined(separator: "\n"))
    #expect(table.names == ["a/1.jpg", "b/1.jpg"])
    #expect(table.problems.map(\.place.line) == [3, 4, 5, 6, 7, 8, 9, 10, 11])
    let reasons = [
      "it has 4 fields, where 11 are needed", "'nan' in field 4", "'x' in field 4", "'1e300' in field 4",
      "'../6.jpg' is no path below", "'/7.jpg' is no path below", "'' is no path", "'a/..' is no path", "'' in field 4",
    ]
    for (problem, reason) in zip(table.problems, reasons) {
      #expect(problem.reason.contains(reason), "\(problem.reason)")
    }
    let box = try self.table("NAME_ID,X,Y,W,H\na,1,1,0,5\nb,1,1,5,-1\nc,1,1,5,nan\nd,1,1,1,1\n", .boxes)
    #expect(box.problems.count == 3 && box.names == ["d"])
    let latin = Array("path,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5\nZo".utf8) + [0xEB] + Array("/1.jpg,\(points)".utf8)
    let other = try FaceTable([DelimitedText(latin, path: "l.csv")], kind: .landmarks)
    #expect(other.problems.map(\.reason) == ["'Zo\u{FFFD}/1.jpg' is not UTF-8"])
  }

  @Test(
    arguments: [
      ("", "the file is empty"), ("path,x1,y1\n", "the columns x2, y2"), ("NAME_ID,X,Y,W,H\na,1,2,3,4\n", "no format"),
      ("x1,y1,x2,y2,x3,y3,x4,y4,x5,y5\n1,2,3,4,5,6,7,8,9,10\n", "no column names the images"), ("<html>", "no format"),
      ("path,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5\n", "there is no row"),
      ("NAME_ID,P1X,P1Y,P2X,P2Y,P3X,P3Y,P4X,P4Y,P5X\n", "the column p5y is missing"), ("202599\n", "no format"),
    ]) func filesOfNoUse(text: String, reason: String) throws
  {
    let error = #expect(throws: DataError.self) { try table(text) }
    #expect(error?.reason.contains(reason) == true && error?.path == "list.csv", "\(error.map { "\($0)" } ?? "")")
  }

  /// Whatever the bytes, an error or a table; never a trap.
  @Test func mutations() throws {
    let text = Array(
      "\u{FEFF}NAME_ID,P1X,P1Y,P2X,P2Y,P3X,P3Y,P4X,P4Y,P5X,P5Y\r\n\"n2/1\",\(points)\r\n\"n\"\"3/2\",\(points)\n".utf8)
    var state: UInt64 = 5
    func random(_ below: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % below
    }
    for _ in 0..<3000 {
      var bytes = text
      for _ in 0...random(4) {
        let place = random(bytes.count)
        switch random(3) {
        case 0: bytes[place] = UInt8(random(256))
        case 1: bytes.removeSubrange(place..<min(place + random(20), bytes.count))
        default: bytes.insert(contentsOf: [34, 44, 10, 9][...random(4)], at: place)
        }
        if bytes.isEmpty { bytes = [44] }
      }
      for kind in [FaceTable.Kind.landmarks, .boxes] {
        guard let table = try? FaceTable([DelimitedText(bytes, path: "x")], kind: kind) else { continue }
        #expect(table.names.allSatisfy { FaceTable.imageName($0) == $0 })
      }
    }
  }
}
