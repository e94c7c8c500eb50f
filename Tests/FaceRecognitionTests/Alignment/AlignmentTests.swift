import Datasets
import Files
import Foundation
import Testing

/// Photographs made of a pattern, a face's five points in them, and what becomes of both.
@Suite struct AlignmentTests {
  private let photographs = TestFolder()
  private let files = TestFolder()

  private static let picture = Picture(width: 160, height: 140) { x, y, channel in
    UInt8((x * (channel + 1) + 2 * y) % 200)
  }

  /// The template's points, seen through a turn, a scale and a shift.
  private static let pose = SimilarityTransform(a: 0.9, b: 0.2, tx: 35, ty: 4)

  private static func row(_ name: String, _ transform: SimilarityTransform = pose, moved: Double = 0) -> String {
    var points = AlignedSize.square.template.map { transform($0) }
    points[2].x += moved
    return ([name] + points.flatMap { ["\($0.x)", "\($0.y)"] }).joined(separator: ",")
  }

  private func options(_ rows: [String], _ name: String = "table.csv", output: String = "faces") -> FaceAlignmentOptions
  {
    files.write(Array(rows.joined(separator: "\n").utf8), name)
    return FaceAlignmentOptions(
      images: photographs.path, table: "\(files.path)/\(name)", kind: .landmarks, output: "\(files.path)/\(output)")
  }

  private func run(_ options: FaceAlignmentOptions) throws -> AlignmentReport {
    try Alignment(options).run { _, _ in }
  }

  private func bytes(_ name: String) -> Data? { FileManager.default.contents(atPath: "\(files.path)/\(name)") }

  private func image(_ name: String) throws -> Picture {
    let file = try #require(bytes(name))
    // The pixels lie in the decoder.
    let decoder = ImageDecoder()
    defer { withExtendedLifetime(decoder) {} }
    return try [UInt8](file).withUnsafeBytes { bytes in
      let image = try decoder.decode(bytes, name: name)
      return Picture(width: image.width, height: image.height) { image.pixels[3 * (image.width * $1 + $0) + $2] }
    }
  }

  @Test func facesComeToTheirPlace() throws {
    photographs.write(Self.picture.png(), "ann/1.png")
    var options = options([Self.row("ann/1.png"), Self.row("ann/1.png")])
    options.format = .png
    let report = try run(options)
    #expect(report.rows == 2 && report.aligned == 1 && report.repeatedRows == 1 && report.kept == 0)
    let residual = try #require(report.residuals)
    #expect(residual.maximum < 1e-4)
    #expect(abs(try #require(report.scales).mean - 1 / Self.pose.scale) < 1e-5)
    let face = try image("faces/ann/1.png")
    #expect(face.width == 112 && face.height == 112)
    // The photograph's pixel under the nose is where the template has it.
    var expected = Picture.constant(0, 0, 0, width: 112, height: 112)
    Self.picture.pixels.withUnsafeBufferPointer { pixels in
      let image = DecodedImage(pixels: pixels.baseAddress!, width: 160, height: 140)
      expected.pixels.withUnsafeMutableBufferPointer {
        ImageWarp.bilinear(image, Self.pose, width: 112, height: 112, into: $0.baseAddress!)
      }
    }
    #expect(zip(face.pixels, expected.pixels).allSatisfy { abs(Int($0) - Int($1)) <= 1 })
    let list = String(decoding: try #require(bytes("faces/alignment.csv")), as: UTF8.self)
    #expect(list.hasPrefix("image,output,a,b,tx,ty,residual,reason\nann/1.png,ann/1.png,1.058"))
  }

  @Test func portraitIsTheMiddleOfTheSquare() throws {
    photographs.write(Self.picture.png(), "ann/1.png")
    var options = options([Self.row("ann/1")])
    options.format = .png
    _ = try run(options)
    options.size = .portrait
    options.output = "\(files.path)/narrow"
    _ = try run(options)
    let (square, narrow) = (try image("faces/ann/1.png"), try image("narrow/ann/1.png"))
    #expect(narrow.width == 96 && narrow.height == 112)
    for y in 0..<112 {
      let middle = 3 * (112 * y + 8)
      for index in 0..<(3 * 96) {
        let difference = Int(square.pixels[middle + index]) - Int(narrow.pixels[3 * 96 * y + index])
        if abs(difference) > 1 { Issue.record("row \(y), \(index): \(difference)") }
      }
    }
  }

  /// What is whole is kept, what is not is made again, and the result is that of one go with any number of threads.
  @Test func goesOnWhereItStopped() throws {
    let names = (0..<40).map { "p\($0 % 7)/\($0).jpg" }
    for name in names { photographs.write(Self.picture.jpeg(), name) }
    let rows = names.enumerated().map { Self.row($1, moved: Double($0) / 10) }
    var options = options(rows)
    options.workers = 3
    _ = try run(options)
    let first = names.map { bytes("faces/\($0)") }
    #expect(first.allSatisfy { $0 != nil })
    let list = bytes("faces/alignment.csv")
    let untouched = "\(files.path)/faces/\(names[5])"
    let date = Date(timeIntervalSince1970: 1_000_000)
    try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: untouched)
    files.write([UInt8](first[1]!.dropLast(50)), "faces/\(names[1])")
    try FileManager.default.removeItem(atPath: "\(files.path)/faces/\(names[2])")
    files.write(Picture.constant(1, 2, 3).jpeg(), "faces/\(names[3])")
    options.workers = 1
    let report = try run(options)
    #expect(report.kept == 37 && report.aligned == 40)
    #expect(names.map { bytes("faces/\($0)") } == first && bytes("faces/alignment.csv") == list)
    let attributes = try FileManager.default.attributesOfItem(atPath: untouched)
    #expect(attributes[.modificationDate] as? Date == date)
    // Other settings would mix with them.
    options.format = .jpeg(quality: 80)
    let error = #expect(throws: DataError.self) { try run(options) }
    #expect(error?.reason.contains("format jpeg 95, now jpeg 80") == true)
    let other = self.options(Array(rows.dropLast()))
    #expect(#expect(throws: DataError.self) { try run(other) }?.reason.contains("other rows") == true)
  }

  @Test func refusedFacesAreListed() throws {
    photographs.write(Self.picture.jpeg(), "p/1.jpg")
    for name in 2...5 { photographs.write(Self.picture.jpeg(), "p/\(name).jpg") }
    let mirrored = AlignedSize.square.template.map { Self.pose(.init(111 - $0.x, $0.y)) }
    let rows = [
      Self.row("p/1.jpg"), Self.row("p/2.jpg", .init(a: 0.2, b: 0, tx: 20, ty: 20)),
      (["p/3.jpg"] + mirrored.flatMap { ["\($0.x)", "\($0.y)"] }).joined(separator: ","),
      Self.row("p/4.jpg", .init(a: 0.9, b: 0, tx: 100, ty: 0)), "p/5.jpg" + String(repeating: ",7,8", count: 5),
    ]
    let report = try run(options(rows))
    #expect(report.aligned == 1 && report.bad == [])
    #expect(
      report.refusedCounts == ["too small": 1, "mirrored": 1, "outside the picture": 1, "without a shape": 1])
    #expect(report.refused.map(\.image) == (2...5).map { "p/\($0).jpg" })
    #expect(report.refused[0].reason.contains("22.4 pixels"))
    let list = String(decoding: try #require(bytes("faces/alignment.csv")), as: UTF8.self)
    #expect(list.split(separator: "\n").count == 6 && list.contains("p/3.jpg,,,,,,,only a mirrored picture would fit"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(files.path)/faces/p") == ["1.jpg"])
  }

  /// Five points on a line lie 14.5 pixels off the template; a nose 20 pixels aside is a turned face.
  @Test func whatIsUnlikeAFaceIsRefused() throws {
    for name in ["p/1.jpg", "p/2.jpg"] { photographs.write(Self.picture.jpeg(), name) }
    let line = AlignedSize.square.template.map { Self.pose(.init(56 + ($0.x - 56) / 1000, $0.y)) }
    let rows = [
      Self.row("p/1.jpg", moved: 20), (["p/2.jpg"] + line.flatMap { ["\($0.x)", "\($0.y)"] }).joined(separator: ","),
    ]
    var options = options(rows)
    let report = try run(options)
    #expect(report.aligned == 1 && report.refusedCounts == ["unlike a face": 1])
    #expect(report.refused.map(\.image) == ["p/2.jpg"])
    #expect(report.refused[0].reason.contains("they miss the template by 14.5 pixels, where 12 may be"))
    let list = String(decoding: try #require(bytes("faces/alignment.csv")), as: UTF8.self)
    #expect(list.contains("p/2.jpg,,,,,,,"))
    options.maximumResidual = 20
    let error = #expect(throws: DataError.self) { try run(options) }
    #expect(error?.reason.contains("greatest residual 12.0, now 20.0") == true)
    options.output = "\(files.path)/all"
    #expect(try run(options).aligned == 2)
  }

  @Test func rowsAndImagesOfNoUse() throws {
    for name in ["p/1.jpg", "p/2.jpg", "p/5.jpg", "p/5.png"] { photographs.write(Self.picture.jpeg(), name) }
    photographs.write([1, 2, 3], "p/3.jpg")
    var options = options([
      Self.row("p/1.jpg"), Self.row("p/2.jpg"), Self.row("p/2.jpg", moved: 1), Self.row("p/3.jpg"), Self.row("p/4.jpg"),
      Self.row("p/5.jpg"), Self.row("p/5.png"), Self.row("p/6.jpg") + ",9",
    ])
    let early = #expect(throws: DataError.self) { try Alignment(options) }
    #expect(early?.reason.hasPrefix("3 of 8 rows are of no use, where 0 may be\n  p/6.jpg: ") == true)
    #expect(!FileManager.default.fileExists(atPath: options.output))
    options.maximumBadImages = 0.4
    let alignment = try Alignment(options)
    let report = try alignment.run { _, _ in }
    #expect(report.aligned == 2 && report.bad.count == 5)
    let reasons = [
      "p/6.jpg": "12 fields", "p/2.jpg": "other coordinates", "p/5.png": "becomes the same file",
      "p/3.jpg": "neither JPEG nor PNG",
      "p/4.jpg": "no such image",
    ]
    for bad in report.bad { #expect(reasons[bad.image].map(bad.reason.contains) == true, "\(bad)") }
    let late = #expect(throws: DataError.self) { try alignment.check(report) }
    #expect(late?.reason.hasPrefix("5 of 8 rows are of no use, where 3 may be") == true)
  }

  @Test func boxesAreCutOutAndResized() throws {
    // A white square on black: 40 wide, cut with a margin of 2.
    let picture = Picture(width: 200, height: 150) { x, y, _ in
      (60..<100).contains(x) && (50..<90).contains(y) ? 255 : 0
    }
    photographs.write(picture.png(), "p/1.png")
    photographs.write(Picture.constant(90, 90, 90, width: 60, height: 60).png(), "p/2.png")
    photographs.write(picture.png(), "p/3.png")
    var options = options(["path,x,y,w,h", "p/1.png,60,50,40,30", "p/2.png,-10,0,70,60", "p/3.png,190,140,40,40"])
    options.kind = .boxes
    (options.format, options.margin) = (.png, 1.4)
    let report = try run(options)
    #expect(report.aligned == 2 && report.residuals == nil && report.refusedCounts == ["outside the picture": 1])
    // The crop of 56 pixels around (80, 65), twice as large: the square fills columns 16...95, rows 26...105.
    let face = try image("faces/p/1.png")
    func level(_ x: Int, _ y: Int) -> Int { Int(face.pixels[3 * (112 * y + x)]) }
    #expect(
      level(56, 60) == 255 && level(18, 60) == 255 && level(93, 60) == 255 && level(12, 60) == 0 && level(99, 60) == 0)
    #expect(level(56, 22) == 0 && level(56, 30) == 255 && level(56, 102) == 255 && level(56, 109) == 0)
    // Black outside the photograph.
    let other = try image("faces/p/2.png")
    #expect(other.pixels[3 * (112 * 56)] == 0 && other.pixels[3 * (112 * 56 + 56)] == 90)
  }

  @Test func peoplesNames() throws {
    for name in ["000001.jpg", "000002.jpg", "000003.jpg"] { photographs.write(Self.picture.jpeg(), name) }
    var options = options(["000001.jpg", "000002.jpg", "000003.jpg"].map { Self.row($0) })
    #expect(try run(options).withoutPerson == 3)
    files.write(Array("\u{FEFF}000001.jpg 2880\r\n000002.jpg 17\r\n".utf8), "who.txt")
    options.people = "\(files.path)/who.txt"
    options.output = "\(files.path)/named"
    options.maximumBadImages = 0.5
    let report = try run(options)
    #expect(report.aligned == 2 && report.withoutPerson == 0)
    #expect(report.bad.map(\.image) == ["000003.jpg"])
    let folder = try ImageFolder(root: options.output)
    #expect((0..<2).map(folder.identifier) == ["17/000002.jpg", "2880/000001.jpg"])
    for text in ["000001.jpg", "000001.jpg 1\n000001.jpg 2", "000001.jpg ../x", "000001.jpg a/b"] {
      files.write(Array(text.utf8), "who.txt")
      #expect(throws: DataError.self) { try Alignment(options) }
    }
  }

  @Test func nothingIsWrittenElsewhere() throws {
    photographs.write(Self.picture.jpeg(), "p/1.jpg")
    photographs.write(Self.picture.jpeg(), "q/1.jpg")
    var options = options([Self.row("p/1.jpg"), Self.row("../p/1.jpg"), Self.row("q/1.jpg")])
    options.maximumBadImages = 1
    let outside = TestFolder()
    _ = try Alignment(options)
    files.link("faces/p", to: outside.path)
    let report = try run(options)
    #expect(report.aligned == 1 && report.bad.count == 2)
    #expect(report.bad.contains { $0.image == "p/1.jpg" && $0.reason.contains("leads out of") })
    #expect(try FileManager.default.contentsOfDirectory(atPath: outside.path) == [])

    options.output = photographs.path
    #expect(throws: DataError.self) { try Alignment(options) }
    options.output = "\(files.path)/taken"
    files.write([1], "taken/mine.txt")
    #expect(#expect(throws: DataError.self) { try Alignment(options) }?.reason.contains("no alignment made") == true)
    options.images = "\(files.path)/nowhere"
    #expect(throws: DataError.self) { try Alignment(options) }
  }
}
