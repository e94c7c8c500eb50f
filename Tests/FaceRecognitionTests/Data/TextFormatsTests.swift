import Datasets
import FaceRecognition
import Files
import Foundation
import Testing
import Training

/// What holds for one text format holds for all: whatever an editor does to the ends of lines, the content stays the same.
@Suite struct TextFormatsTests {
  enum Format: String, CaseIterable {
    case labels, im2rec, insightFace, pairs, lfw, templates, templatePairs, templateSubjects, detectorScores, landmarks,
      boxes, people, images
    case configuration, property, index, starts
  }

  private static let rows: [Format: [String]] = [
    .labels: ["# faces", "a.jpg,ann", "\"b c.jpg\" bo", "d.jpg\tann"],
    .im2rec: ["0\t1.000000\ta.jpg", "1\t0.000000\tb c.jpg"],
    .insightFace: ["1\ta.jpg\t1", "1\tb c.jpg\t0"],
    .pairs: ["left right same", "a.jpg b.jpg 1", "a.jpg,c.jpg,0"],
    .lfw: ["1 1", "ann\t1\t2", "ann\t1\tbo\t1"],
    .templates: ["TEMPLATE_ID SUBJECT_ID MEDIA_ID PATH", "1 ann 1 a.jpg", "2 bo 1 b.jpg"],
    .templatePairs: ["1 2 0", "1 1 1"],
    .templateSubjects: ["TEMPLATE_ID,SUBJECT_ID,FILE", "2,bo,\"b, c.jpg\"", "1,ann,a.jpg"],
    .detectorScores: ["path score", "a.jpg,0.5", "b.jpg 1e-1"],
    .landmarks: ["NAME_ID,P1X,P1Y,P2X,P2Y,P3X,P3Y,P4X,P4Y,P5X,P5Y", "\"n/1\",1,2,3,4,5,6,7,8,9,10"],
    .boxes: ["2", "image_id x_1 y_1 width height", "1.jpg 1 2 3 4", "2.jpg 1 2 3 4"],
    .people: ["image_id identity", "1.jpg 7", "2.jpg 8"],
    .images: ["filename", "a.jpg", "\"b, c.jpg\""],
    .configuration: ["network: mobilefacenet", "# said", "milestones: [1e, 2e]", "seed: 3"],
    .property: ["4,12,12"],
  ]

  private let folder = TestFolder()

  init() { for name in ["ann", "bo"] { folder.write([1], "\(name)/\(name)_0001.jpg") } }

  private func read(_ format: Format, _ text: String) throws -> String {
    let path = "\(folder.path)/\(format == .property ? "property" : format == .index ? "train.idx" : "list.txt")"
    folder.write(Array(text.utf8), (path as NSString).lastPathComponent)
    let found: String =
      switch format {
      case .labels, .im2rec, .insightFace:
        try {
          let list = try ImageSet.open(path)
          return "\((0..<list.count).map { (list.identifier(of: $0), list.label(of: $0)) }) \(list.classNames)"
        }()
      case .pairs, .lfw:
        try {
          let list = try PairList(path: path, root: folder.path)
          return "\(list.images) \(list.pairs) \(list.foldCount)"
        }()
      case .templates:
        try {
          let list = try TemplateList(DelimitedText(path: path), pairs: Self.text("1 2 0\n"), root: "r")
          return "\(list.templates) \(list.images)"
        }()
      case .templatePairs:
        try
          "\(TemplateList(Self.text("1 ann 1 a.jpg\n2 bo 1 b.jpg\n"), pairs: DelimitedText(path: path), root: "r").pairs)"
      case .templateSubjects:
        try {
          let list = try TemplateSubjects(path: path, of: Self.templates())
          return "\(list.templates) \(list.subjects)"
        }()
      case .detectorScores: try "\(DetectorScores(path: path, of: Self.templates()).values)"
      case .landmarks, .boxes:
        try {
          let table = try FaceTable(path: path, kind: format == .boxes ? .boxes : .landmarks)
          return "\(table.names) \(table.problems) "
            + (0..<table.count).map { format == .boxes ? "\(table.box($0))" : "\(table.landmarks($0))" }.joined()
        }()
      case .people:
        try {
          let people = try PeopleList(path: path)
          return "\(people.images.sorted().map { ($0, people.person(of: $0)) })"
        }()
      case .images:
        try {
          let list = try ImageList(at: path)
          return "\((0..<list.count).map(list.path))"
        }()
      case .configuration: try "\(ConfigurationFile(path: path).entries)"
      case .property, .index:
        try {
          let people = (0..<4).map { person in
            (0..<person + 1).map { [UInt8](repeating: UInt8(9 * person + $0), count: 60) }
          }
          let file = RecordFixture.insightFace(people)
          folder.write(file.bytes, "train.rec")
          if format == .property { folder.write(Array(file.index.utf8), "train.idx") }
          let set = try RecordSet(path: folder.path + "/train.rec")
          return "\(set.count) \((0..<set.count).map(set.label))"
        }()
      case .starts:
        "\(RunStart.all(in: path))"
      }
    return found.replacingOccurrences(of: folder.path, with: "DIR")
  }

  private static func text(_ text: String) throws -> DelimitedText {
    try DelimitedText(Array(text.utf8), path: "other")
  }

  private static func templates() throws -> TemplateList {
    try TemplateList(text("1 ann 1 a.jpg\n2 bo 1 b.jpg\n"), pairs: nil, root: "r")
  }

  private func rows(_ format: Format) throws -> [String] {
    switch format {
    case .index:
      let people = (0..<4).map { person in
        (0..<person + 1).map { [UInt8](repeating: UInt8(9 * person + $0), count: 60) }
      }
      return RecordFixture.insightFace(people).index.split(separator: "\n").map(String.init)
    case .starts:
      return [0, 5].map {
        """
        {"date":"2026","firstStep":\($0),"totalSteps":9,"stepsPerEpoch":3,"ranks":1,"hosts":{"a":1},"threadsPerRank":1,\
        "readersPerRank":1,"globalBatchSize":4,"images":8,"people":2,"parameters":10,"program":"p","processor":"c",\
        "cores":1,"memoryBytes":1,"system":"s"}
        """
      }
    default: return Self.rows[format]!
    }
  }

  @Test(arguments: Format.allCases) func endsAndMarks(format: Format) throws {
    let rows = try rows(format)
    let expected = try read(format, rows.joined(separator: "\n") + "\n")
    #expect(!expected.contains("[]") || format == .landmarks || format == .boxes, "\(expected)")
    for newline in ["\n", "\r\n", "\r"] {
      for mark in ["", "\u{FEFF}"] {
        for end in ["", newline, newline + newline] where format != .index || end != newline + newline {
          let found = try read(format, mark + rows.joined(separator: newline) + end)
          #expect(found == expected, "newline \(Array(newline.utf8)), mark \(Array(mark.utf8)), end \(Array(end.utf8))")
        }
      }
    }
  }

  /// Text that Windows programs call Unicode is refused by its name, in each format.
  @Test(arguments: Format.allCases.filter { ![.property, .index, .starts].contains($0) })
  func wideText(format: Format) throws {
    let wide = try rows(format).joined(separator: "\r\n").utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
    folder.write([0xFF, 0xFE] + wide, "list.txt")
    let path = folder.path + "/list.txt"
    let error = #expect(throws: DataError.self) {
      switch format {
      case .labels, .im2rec, .insightFace: _ = try ImageSet.open(path)
      case .pairs, .lfw: _ = try PairList(path: path, root: folder.path)
      case .templates: _ = try TemplateList(path: path, pairs: path, root: "r")
      case .templatePairs:
        _ = try TemplateList(Self.text("1 ann 1 a.jpg\n"), pairs: DelimitedText(path: path), root: "r")
      case .templateSubjects: _ = try TemplateSubjects(path: path, of: Self.templates())
      case .detectorScores: _ = try DetectorScores(path: path, of: Self.templates())
      case .landmarks, .boxes: _ = try FaceTable(path: path, kind: .boxes)
      case .people: _ = try PeopleList(path: path)
      case .images: _ = try ImageList(at: path)
      case .configuration, .property, .index, .starts: _ = try ConfigurationFile(path: path)
      }
    }
    #expect(error?.reason == "this is UTF-16 text, where UTF-8 is needed")
  }

  /// Whatever the bytes, an error of ours or a content; never a trap.
  @Test func mutations() throws {
    var state: UInt64 = 7
    func random(_ below: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % below
    }
    let inserted: [[UInt8]] = [
      [34], [44], [9], [10], [13], [32], [34, 34], [0xCC, 0x81], [0xEF, 0xBB, 0xBF], [0xFF], [0],
    ]
    let other = try Self.text("1 ann 1 a.jpg\n2 bo 1 b.jpg\n")
    let formats: [Format] = [
      .labels, .im2rec, .insightFace, .pairs, .lfw, .templates, .templatePairs, .people, .templateSubjects,
      .detectorScores,
    ]
    let templates = try Self.templates()
    for round in 0..<3000 {
      let format = formats[round % formats.count]
      var bytes = Array((Self.rows[format]!.joined(separator: "\n") + "\n").utf8)
      for _ in 0...random(4) {
        let place = random(bytes.count + 1)
        switch random(3) {
        case 0 where place < bytes.count: bytes[place] = UInt8(random(256))
        case 1: bytes.removeSubrange(place..<min(place + random(8), bytes.count))
        default: bytes.insert(contentsOf: inserted[random(inserted.count)], at: place)
        }
      }
      do {
        let text = try DelimitedText(bytes, path: "list.txt")
        switch format {
        case .pairs, .lfw:
          let list = try PairList(text, root: "/none")
          #expect(
            list.pairs.allSatisfy { list.images.indices.contains($0.first) && list.images.indices.contains($0.second) })
        case .templates: _ = try TemplateList(text, pairs: Self.text("1 2 0\n"), root: "/none")
        case .templatePairs: _ = try TemplateList(other, pairs: text, root: "/none")
        case .people: _ = try PeopleList(text)
        case .templateSubjects:
          #expect(
            try TemplateSubjects(text, of: templates).templates.allSatisfy { templates.templates.indices.contains($0) })
        case .detectorScores:
          #expect(try DetectorScores(text, of: templates).values.allSatisfy { $0.isFinite && $0 >= 0 })
        default:
          let list = try LabelledList(text)
          #expect((0..<list.count).allSatisfy { list.classNames.indices.contains(list.label(of: $0)) })
        }
      } catch {
        #expect(error is DataError && "\(error)".contains("list.txt") || "\(error)".contains("other"), "\(error)")
      }
    }
  }
}
