import Datasets
import Files
import Foundation
import Testing
import VectorKernels

/// Random accidents to one valid file of each format that comes from outside, thousands of times: `scripts/drills/fuzz.sh` says how many
/// (COSFACE_FUZZ, COSFACE_SEED). Nothing may crash or hang, and what is read may not have other labels, weights or options than before.
@Suite(.serialized) struct DatasetFuzzTests {
  /// A file that is mutated, and what lies beside it.
  enum Format: String, CaseIterable {
    case catalogued = "train.rec with catalog"
    case ranges = "train.rec with ranges"
    case plain = "train.rec of im2rec"
    case index = "train.idx"
    case property
    case catalog = "train.rec.catalog"
    case sealedBin = "pairs.bin with digest"
    case bin2 = "pairs.bin, protocol 2"
    case bin4 = "pairs.bin, protocol 4"
    case list = "list.txt"
    case numberedList = "train.lst of im2rec"
    case pairs = "pairs.txt"
    case lfwPairs = "pairs.txt of LFW"
    case templates = "templates.txt"
    case landmarks = "landmarks.csv"
    case boxes = "boxes.csv"
    case vggFace = "Ann_Lee.txt of VGGFace"
    case identities = "identities.txt"
    case jpeg = "image.jpg"
    case png = "image.png"
    case ppm = "image.ppm"
    case torch = "state.pt of PyTorch"
    case torchCheckpoint = "checkpoint.pt"
    case torchScript = "module.pt without checksums"
    case oldTorch = "state.pt before PyTorch 1.6"
    case configuration = "run.yaml"

    var file: String {
      switch self {
      case .catalogued, .ranges, .plain: "train.rec"
      case .index: "train.idx"
      case .property: "property"
      case .catalog: "train.rec.catalog"
      case .sealedBin, .bin2, .bin4: "pairs.bin"
      case .list: "list.txt"
      case .numberedList: "train.lst"
      case .pairs, .lfwPairs: "pairs.txt"
      case .templates: "templates.txt"
      case .landmarks: "landmarks.csv"
      case .boxes: "boxes.csv"
      case .vggFace: "Ann_Lee.txt"
      case .identities: "identities.txt"
      case .jpeg: "image.jpg"
      case .png: "image.png"
      case .ppm: "image.ppm"
      case .torch, .torchCheckpoint, .torchScript, .oldTorch: "state.pt"
      case .configuration: "run.yaml"
      }
    }

    var isOfRun: Bool { file == "state.pt" || file == "run.yaml" }

    /// Formats without a checksum or anything else said twice: a changed label in them looks as good as any.
    var hasRedundancy: Bool {
      switch self {
      case .catalogued, .ranges, .index, .property, .catalog, .sealedBin, .jpeg, .png, .ppm, .torch, .torchCheckpoint:
        true
      default: false
      }
    }
  }

  /// What somebody who reads a set learns.
  private struct Contents: Equatable {
    var labels: [Int]
    var images: [[UInt8]]
  }

  private static let people: [[[UInt8]]] = (0..<4).map { person in
    (0...person).map { image in
      let picture = Picture(width: 12, height: 12) { x, y, _ in
        let grey: Int = 50 * person + 9 * image + 7 * x + y
        return UInt8(grey % 256)
      }
      return picture.jpeg(quality: 60)
    }
  }

  private static func files(_ format: Format) throws -> [String: [UInt8]] {
    let images = Array(people.joined())
    switch format {
    case .plain:
      let records = people.enumerated().flatMap { label, images in images.map { (Float(label), $0) } }
      return ["train.rec": RecordFixture.plain(records).bytes]
    case .catalogued, .ranges, .index, .property, .catalog:
      let file = RecordFixture.insightFace(people)
      var files = ["train.rec": file.bytes, "train.idx": Array(file.index.utf8), "property": Array("4,12,12\n".utf8)]
      if format == .catalogued || format == .catalog {
        let folder = TestFolder()
        for (name, bytes) in files { folder.write(bytes, name) }
        _ = try DatasetSeal.write(for: folder.path)
        files["train.rec.catalog"] = try [UInt8](
          Data(contentsOf: URL(fileURLWithPath: folder.path + "/train.rec.catalog")))
      }
      return files
    case .bin2, .bin4, .sealedBin:
      let bytes = format == .bin2 ? pickle2(images) : pickle4(images)
      guard format == .sealedBin else { return ["pairs.bin": bytes] }
      let digest = bytes.withUnsafeBytes { "\(Digest(of: $0))  pairs.bin\n" }
      return ["pairs.bin": bytes, "pairs.bin.xxh128": Array(digest.utf8)]
    case .list, .pairs:
      let names = images.indices.map { "\($0).jpg" }
      var files = Dictionary(uniqueKeysWithValues: zip(names, images))
      files["list.txt"] = Array(names.map { "\($0)\tp\($0.first!)\r\n" }.joined().utf8)
      files["pairs.txt"] = Array(zip(names, names.dropFirst()).map { "\($0) \($1) \($0.count % 2)\n" }.joined().utf8)
      return files
    case .numberedList, .lfwPairs, .templates, .landmarks, .boxes, .vggFace, .identities: return texts(format, images)
    case .jpeg: return ["image.jpg": Picture(width: 24, height: 18) { x, y, _ in UInt8(x * y % 251) }.jpeg()]
    case .png: return ["image.png": Picture(width: 24, height: 18) { x, y, _ in UInt8(x * y % 251) }.png()]
    case .ppm: return ["image.ppm": Picture(width: 24, height: 18) { x, y, _ in UInt8(x * y % 251) }.ppm()]
    case .torch, .torchCheckpoint, .torchScript, .oldTorch, .configuration:
      return [format.file: try FuzzedRunFiles.bytes(format)]
    }
  }

  /// Lists and tables as they come with sets, and the images that they name.
  private static func texts(_ format: Format, _ images: [[UInt8]]) -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for (number, image) in images.enumerated() { files["\(number / 5)/\(number / 5)_000\(number % 5).jpg"] = image }
    let names = files.keys.sorted()
    func points(_ count: Int, _ row: Int) -> [String] { (0..<count).map { "\(30 + 7 * $0 % 40 + row).25" } }
    let lines: [String] =
      switch format {
      case .numberedList: names.enumerated().map { "\($0)\t\($1.first!).000000\t\($1)" }
      case .lfwPairs:
        ["2\t2", "0\t0\t1", "0\t2\t3", "0\t1\t1\t2", "0\t3\t1\t4"] + ["1\t0\t1", "1\t2\t3", "0\t1\t1\t1", "1\t3\t0\t4"]
      case .templates:
        ["TEMPLATE_ID,SUBJECT_ID,MEDIA_ID,PATH"]
          + names.enumerated().map { "\($0 / 5 * 2 + $0 % 2),s\($1.first!),\($0 % 2),\($1)" }
      case .landmarks:
        ["NAME_ID,P1X,P1Y,P2X,P2Y,P3X,P3Y,P4X,P4Y,P5X,P5Y"]
          + names.enumerated().map { "\"\($1.dropLast(4))\"," + points(10, $0).joined(separator: ",") }
      case .boxes:
        ["NAME_ID,X,Y,W,H"] + names.enumerated().map { "\"\($1.dropLast(4))\"," + points(4, $0).joined(separator: ",") }
      case .vggFace:
        names.indices.map { "0000000\($0) http://a.b/\($0).jpg \($0).00 54.00 181.00 193.00 1.00 2.01 1" }
      default: names.enumerated().map { "\($1) \($0 % 3)" }
      }
    files[format.file] = Array((lines.joined(separator: "\r\n") + "\r\n").utf8)
    if format == .templates { files["ids.txt"] = Array("0 1 1\n0 3 0\n1 2 0\n".utf8) }
    return files
  }

  private static func pickle4(_ images: [[UInt8]]) -> [UInt8] {
    var bytes: [UInt8] = [0x80, 4, 0x5D, 0x94, 0x28]
    for image in images {
      bytes += [0x42] + withUnsafeBytes(of: UInt32(image.count).littleEndian, Array.init) + image + [0x94]
    }
    return bytes + [0x65, 0x5D, 0x94, 0x28] + [0x88, 0x89, 0x88, 0x88, 0x89] + [0x65, 0x86, 0x94, 0x2E]
  }

  private static func pickle2(_ images: [[UInt8]]) -> [UInt8] {
    var bytes: [UInt8] = [0x80, 2, 0x5D, 0x71, 0, 0x28]
    for (number, image) in images.enumerated() {
      let text = Array(String(String.UnicodeScalarView(image.map { Unicode.Scalar($0) })).utf8)
      bytes += number == 0 ? Array("c_codecs\nencode\n".utf8) + [0x71, 1] : [0x68, 1]
      bytes += [0x58] + withUnsafeBytes(of: UInt32(text.count).littleEndian, Array.init) + text
      bytes += [0x58, 6, 0, 0, 0] + Array("latin1".utf8) + [0x86, 0x52]
    }
    return bytes + [0x65, 0x5D, 0x28, 0x88, 0x89, 0x88, 0x88, 0x89, 0x65, 0x86, 0x2E]
  }

  /// A text as one number.
  private static func number(_ text: String) -> Int { text.utf8.reduce(7) { $0 &* 31 &+ Int($1) } }

  /// Reads all; throws where anything is refused.
  private static func read(_ format: Format, _ folder: String) throws -> Contents {
    switch format {
    case .sealedBin, .bin2, .bin4:
      let bin = try PairBin(path: folder + "/pairs.bin")
      let images = try (0..<bin.count).map(bin.encodedImage)
      return Contents(labels: bin.pairs.flatMap { [$0.first, $0.second, $0.same ? 1 : 0] }, images: images)
    case .pairs:
      let list = try PairList(path: folder + "/pairs.txt", root: folder)
      return Contents(labels: list.pairs.flatMap { [$0.first, $0.second, $0.same ? 1 : 0] }, images: [])
    case .lfwPairs:
      let list = try PairList(path: folder + "/pairs.txt", root: folder)
      if let absent = list.absent.first { throw DataError(list.images[0], "no image \(absent.image)") }
      return Contents(
        labels: list.pairs.flatMap { [$0.first, $0.second, $0.same ? 1 : 0, $0.fold] } + list.images.map(number),
        images: [])
    case .templates:
      let list = try TemplateList(path: folder + "/templates.txt", pairs: folder + "/ids.txt", root: folder)
      let templates = list.templates.flatMap { [number($0.id), number($0.subject ?? ""), number("\($0.media)")] }
      return Contents(labels: templates + list.images.map(number) + list.pairs.map { $0.same ? 1 : 0 }, images: [])
    case .landmarks, .boxes, .vggFace:
      let table = try FaceTable(path: "\(folder)/\(format.file)", kind: format == .landmarks ? .landmarks : .boxes)
      // Rows of no use are listed, and end the work where they are many.
      if let problem = table.problems.first { throw DataError(folder, problem.reason) }
      let rows = (0..<table.count).map { format == .landmarks ? "\(table.landmarks($0))" : "\(table.box($0))" }
      return Contents(labels: (table.names + rows).map(number), images: [])
    case .identities:
      let people = try PeopleList(path: folder + "/identities.txt")
      return Contents(
        labels: people.images.sorted().flatMap { [number($0.text), number(people.person(of: $0)?.text ?? "")] },
        images: [])
    case .jpeg, .png, .ppm:
      let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: folder + "/" + format.file)))
      let pixels = try bytes.withUnsafeBytes {
        let decoder = ImageDecoder()
        defer { withExtendedLifetime(decoder) {} }
        let image = try decoder.decode($0, name: format.file)
        return [UInt8](UnsafeBufferPointer(start: image.pixels, count: 3 * image.width * image.height))
      }
      // Other pixels are no other label.
      return Contents(labels: [], images: [Array(pixels.prefix(0))])
    case .torch, .torchCheckpoint, .torchScript, .oldTorch:
      return Contents(labels: try FuzzedRunFiles.weights(folder + "/state.pt").map(number), images: [])
    case .configuration:
      return Contents(labels: try FuzzedRunFiles.options(folder + "/run.yaml").map(number), images: [])
    default:
      let isList = [.list, .numberedList].contains(format)
      let source = try ImageSet.open(isList ? "\(folder)/\(format.file)" : folder)
      var labels = (0..<source.count).map(source.label)
      // Ranges say who is one person. What number a person has stands in the person's only image alone.
      if format == .ranges { labels = labels.map { labels.firstIndex(of: $0)! } }
      return Contents(labels: labels, images: try (0..<source.count).map(source.encodedImage))
    }
  }

  @Test(.timeLimit(.minutes(30)), arguments: Format.allCases) func accidents(format: Format) throws {
    let environment = ProcessInfo.processInfo.environment
    let count = environment["COSFACE_FUZZ"].flatMap(Int.init) ?? 150
    let seed = environment["COSFACE_SEED"].flatMap(UInt64.init) ?? 1
    let folder = TestFolder()
    let files = try Self.files(format)
    for (name, bytes) in files { folder.write(bytes, name) }
    let whole = try Self.read(format, folder.path)
    let valid = Data(try #require(files[format.file]))
    var generator = CounterGenerator(
      seed: seed, purpose: .order, format.rawValue.utf8.reduce(0) { $0 * 31 % 65521 + Int($1) })
    var (refused, same, otherPictures, otherLabels) = (0, 0, 0, 0)
    for number in 0..<count {
      let changed = RecordMutation.random(of: valid, &generator)
      // Writing over a file makes ext4 flush it.
      try FileManager.default.removeItem(atPath: folder.path + "/" + format.file)
      folder.write([UInt8](changed), format.file)
      do {
        let contents = try Self.read(format, folder.path)
        if format.isOfRun, number < 8 { try FuzzedRunFiles.expectPlainEnd(format, folder.path) }
        if contents == whole {
          same += 1
        } else if contents.labels == whole.labels {
          otherPictures += 1
        } else {
          otherLabels += 1
          #expect(!format.hasRedundancy, "mutation \(number) of \(format.rawValue), seed \(seed), was believed")
        }
      } catch {
        refused += 1
        if format.isOfRun, number < 8 { try FuzzedRunFiles.expectPlainEnd(format, folder.path) }
        #expect("\(error)".count > 20 && !"\(error)".contains("Swift."), "\(error)")
      }
    }
    // Digests leave nothing to chance.
    if [.catalogued, .catalog, .sealedBin].contains(format) { #expect(otherPictures == 0, "seed \(seed)") }
    #expect(refused > 0)
    if environment["COSFACE_FUZZ"] != nil {
      let believed =
        format.hasRedundancy ? "\(otherLabels) believed" : "0 believed (\(otherLabels) that nothing could tell)"
      print(
        "\(format.rawValue): \(count) mutations, \(refused) refused, \(same) read the same, \(otherPictures) with other pictures, \(believed)"
      )
    }
  }
}
