import Datasets
import Evaluation
import Files
import Foundation
import Inference
import Testing

@Suite struct TemplateListTests {
  private func read(_ list: String, _ pairs: String) throws(DataError) -> TemplateList {
    try TemplateList(
      DelimitedText(Array(list.utf8), path: "templates.txt"),
      pairs: DelimitedText(Array(pairs.utf8), path: "pairs.txt"),
      root: "/faces")
  }

  private let list =
    "\u{FEFF}TEMPLATE_ID SUBJECT_ID MEDIA_ID PATH\r\n7 ann 1 a.jpg\r\n7 ann 2 b.jpg\r\n7 ann 1 c.jpg\r\n9 bo 1 b.jpg\r\n"

  @Test func imagesMediaAndPairs() throws {
    let templates = try read(list, "7 9\n# comment\n7,7,1\n9\t7\t0\n")
    #expect(templates.images == ["a", "b", "c"].map { "/faces/\($0).jpg" })
    #expect(
      templates.templates == [
        FaceTemplate(id: "7", subject: "ann", media: [[0, 2], [1]]), FaceTemplate(id: "9", subject: "bo", media: [[1]]),
      ])
    #expect(
      templates.pairs == [FacePair(0, 1, same: false), FacePair(0, 0, same: true), FacePair(1, 0, same: false)])
    #expect(try Verification(templates).samples == [0, 1, 2])
    let janus = try read("1.jpg 1 69544\n2.jpg 1 69544\n3.jpg 2 5\n", "1 2 1\n1 1 0\n")
    #expect(janus.templates.map(\.media) == [[[0, 1]], [[2]]] && janus.templates.allSatisfy { $0.subject == nil })
    #expect(janus.pairs.map(\.same) == [true, false])
  }

  @Test(
    arguments: [
      ("", "1 1 1", "templates.txt", nil, "without templates"), ("1 2\n", "1 1 1", "templates.txt", 1, "2 fields"),
      ("1 a 1 x.jpg\n1 b 1 y.jpg", "1 1 1", "templates.txt", 2, "of b, but before of a"),
      ("1 a 1 x.jpg\n1 a 2 x.jpg", "1 1 1", "templates.txt", 2, "'x.jpg' twice"),
      ("1,,1,x.jpg", "1 1 1", "templates.txt", 1, "an empty field"),
      ("1 a 1 x.jpg", "", "pairs.txt", nil, "without pairs"),
      ("1 a 1 x.jpg", "1 1 1\n1 2 0", "pairs.txt", 2, "no template '2' in templates.txt"),
      ("1 a 1 x.jpg", "1 1 2", "pairs.txt", 1, "the last field is '2'"),
      ("1 a 1 x.jpg", "1", "pairs.txt", 1, "1 fields"),
      ("1 a 1 x.jpg\n2 a 1 y.jpg", "1 2 0", "pairs.txt", 1, "it says 0, but the templates are of a and a"),
      ("1 a 1 " + String(repeating: "x", count: 100_000), "1 1 1", "templates.txt", 1, "a field of 100000 bytes"),
      ("x.jpg 1 1\ny.jpg 2 1", "1 2", "pairs.txt", 1, "does not say whether"),
    ] as [(String, String, String, Int?, String)])
  func badLists(list: String, pairs: String, path: String, line: Int?, reason: String) {
    let error = #expect(throws: DataError.self) { try read(list, pairs) }
    #expect(error?.path == path + (line.map { ", line \($0)" } ?? ""))
    #expect(error?.reason.contains(reason) == true, "\(error.map { "\($0)" } ?? "")")
  }

  @Test func titlesNameTheColumns() throws {
    let list = try read(
      "SUBJECT_ID,FRAME,PATH,TEMPLATE_ID,MEDIA_ID\nann,0,a.jpg,7,1\nbo,0,\"b,c.jpg\",9,1\n",
      "first,second,same\n7,9,0\n7,7,1\n")
    #expect(list.templates.map(\.id) == ["7", "9"] && list.templates.map(\.subject) == ["ann", "bo"])
    #expect(list.images == ["/faces/a.jpg", "/faces/b,c.jpg"] && list.pairs.map(\.same) == [false, true])
    #expect(list.notes == ["pairs.txt, line 1: 'first,second,same' was taken for titles of the columns"])
    let error = #expect(throws: DataError.self) { try read("template_id path\n7 a.jpg\n", "7 7 1\n") }
    #expect(error?.reason == "its titles 'template_id path' lack media_id or path")
  }

  /// To String one text, to a disk two names.
  @Test func namesAreBytes() throws {
    let (composed, apart) = ("Zo\u{EB}", "Zoe\u{308}")
    let list = try read(
      "\(composed) ann \(composed) \(composed).jpg\n\(composed) ann \(apart) \(apart).jpg\n\(apart) bo 1 c.jpg\n",
      "\(composed) \(apart)\n")
    #expect(list.templates.map(\.media) == [[[0], [1]], [[2]]] && list.images.count == 3)
    #expect(list.pairs == [FacePair(0, 1, same: false)])
    let error = #expect(throws: DataError.self) { try read("7 \(composed) 1 a.jpg\n7 \(apart) 1 b.jpg\n", "7 7\n") }
    #expect(error?.reason.hasPrefix("template 7 is of ") == true)
  }

  @Test func oneKindOfPairs() {
    #expect(throws: EvaluationError.self) { try Verification(try read(list, "7 9\n")) }
  }

  /// Unit vectors (0.6, 0.8), (0, 1), (1, 0): the first and the third are one medium, the second another.
  @Test func pooledVectors() throws {
    let template = FaceTemplate(id: "7", subject: nil, media: [[10, 12], [11]])
    func pool(_ samples: [Int], _ pooling: TemplatePooling = .init()) throws -> [Double]? {
      let rows = try EmbeddingTable([3, 4, 0, 2, 5, 0].prefix(2 * samples.count).map(Float.init), width: 2) { "\($0)" }
      let divided = DividedTable(rows, samples: samples, of: 13)
      var sums = TemplateSums([template], part: 0..<1, divided, pooling)
      sums.add(rows, from: 0)
      if let failure = sums.normalize() { throw failure }
      return sums.isPresent[0] ? sums.vectors : nil
    }
    func expect(_ vector: [Double]?, _ x: Double, _ y: Double) {
      let norm = (x * x + y * y).squareRoot()
      #expect(vector.map { abs($0[0] - x / norm) < 1e-15 && abs($0[1] - y / norm) < 1e-15 } == true, "\(vector ?? [])")
    }
    let all = [10, 11, 12]
    expect(try pool(all), 0.8, 1.4)
    expect(try pool(all, TemplatePooling(.norm)), 4, 4)
    var weights = [Float](repeating: 0, count: 13)
    (weights[10], weights[11], weights[12]) = (0.5, 1, 0.25)
    expect(try pool(all, TemplatePooling(.unit, weights: weights)), 0.275, 1.2)
    expect(try pool(all, TemplatePooling(.norm, weights: weights)), 1.375, 3)
    // An image that could not be read is left out of its medium, and a medium without an image out of the template.
    expect(try pool([10]), 0.6, 0.8)
    #expect(try pool([3]) == nil)
    let nothing = TemplatePooling(.unit, weights: [Float](repeating: 0, count: 13))
    #expect(throws: EvaluationError.self) { try pool(all, nothing) }
  }

  private func text(_ text: String, _ path: String) throws(DataError) -> DelimitedText {
    try DelimitedText(Array(text.utf8), path: path)
  }

  @Test func detectorScores() throws {
    let list = try read("1.jpg 1 1\n/else/2.jpg 1 2\n3.jpg 2 5\n", "1 2 0\n")
    let points = " 1 2 3 4 5 6 7 8 9 10 "
    let scores = try DetectorScores(
      text("3.jpg\(points)0.25\n9.jpg\(points)x\n1.jpg\(points)0\n/else/2.jpg\(points)1e-1\n", "s.txt"), of: list)
    #expect(scores.values == [0, 0.1, 0.25] && scores.notes.isEmpty)
    let table = try DetectorScores(text("path,score\n1.jpg,1\n/else/2.jpg,2\n3.jpg,3\n", "s.csv"), of: list)
    #expect(
      table.values == [1, 2, 3] && table.notes == ["s.csv, line 1: 'path,score' was taken for titles of the columns"])
    for (content, line, reason) in [
      ("1.jpg 1\n/else/2.jpg 1", nil, "no score of '/faces/3.jpg', an image of templates.txt"),
      ("1.jpg 1\n1.jpg 1", 2, "the image '1.jpg' twice"), ("1.jpg -1", 1, "the score is '-1'"),
      ("1.jpg nan", 1, "the score is 'nan'"), ("1.jpg 1e300", 1, "the score is '1e300'"),
      ("1.jpg 1 2", 1, "there are 3 fields"), ("1.jpg much", 1, "the score is 'much'"),
    ] as [(String, Int?, String)] {
      let error = #expect(throws: DataError.self) { try DetectorScores(text(content, "s.txt"), of: list) }
      #expect(error?.path == "s.txt" + (line.map { ", line \($0)" } ?? "") && error?.reason.contains(reason) == true)
    }
  }

  @Test func subjectsOfTemplates() throws {
    let list = try read("1 ann 1 a.jpg\n2 bo 1 b.jpg\n3 bo 1 c.jpg\n", "1 2\n2 3\n")
    // Once for each image, as IJB-C has it.
    let gallery = try TemplateSubjects(
      text("TEMPLATE_ID,SUBJECT_ID,FILENAME\n3,bo,img/1.jpg\n1,ann,x\n3,bo,img/2.jpg\n", "G1.csv"), of: list)
    #expect(gallery.templates == [2, 0] && gallery.subjects == ["bo", "ann"])
    for (content, line, reason) in [
      ("", nil, "without templates"), ("9 ann", 1, "no template '9' in templates.txt"), ("1", 1, "there are 1 fields"),
      ("1 bo", 1, "template 1 is of bo, but in templates.txt of ann"), ("1,", 1, "an empty field"),
    ] as [(String, Int?, String)] {
      let error = #expect(throws: DataError.self) { try TemplateSubjects(text(content, "G1.csv"), of: list) }
      #expect(error?.path == "G1.csv" + (line.map { ", line \($0)" } ?? "") && error?.reason.contains(reason) == true)
    }
    let nameless = try read("a.jpg 1 1\nb.jpg 2 1\n", "1 2 0\n")
    let error = #expect(throws: DataError.self) { try TemplateSubjects(text("1 ann\n1 bo\n", "G1.csv"), of: nameless) }
    #expect(error?.reason == "template 1 is of bo, but before of ann")
  }
}
