import Datasets
import Evaluation
import Files
import Foundation
import NeuralNetwork
import TestSupport
import Testing
import Weights

/// Training and evaluation on record files, lists and several sets, as a person meets it.
@Suite(.serialized) struct DataFormsCommandTests {
  private let faces: FaceFolder
  private let files: TemporaryFolder

  init() throws {
    faces = try FaceFolder(people: 4, images: 5)
    files = try TemporaryFolder()
    try files.write(to: "set/.keep")
  }

  private func pack() throws -> String {
    let record = files["set/train.rec"]
    _ = try RecordPacker(ImageSet.open(faces.path), output: record, reencoding: .init()).run()
    return record
  }

  private func train(_ data: [String], _ run: String, _ more: [String] = [], ranks: Int = 1) throws
    -> Subprocess.Outcome
  {
    try Subprocess.cosface(
      ["train", "--data"] + data + [
        "--output", files[run], "--network", "mobilefacenet", "--embedding", "32", "--input-size", "48", "--batch-size",
        "4", "--steps", "6", "--optimizer", "sgd", "--learning-rate", "0.02", "--augment", "standard", "--logit-scale",
        "16",
      ] + more, ranks: ranks)
  }

  private func model(_ run: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: files[run] + "/model.safetensors"))
  }

  private func expectRefusal(
    _ outcome: Subprocess.Outcome, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(outcome.exitCode != 0, sourceLocation: sourceLocation)
    for word in words { #expect(outcome.text.contains(word), "\(outcome.text)", sourceLocation: sourceLocation) }
    #expect(outcome.lines.count { $0.hasPrefix("Error: ") } == 1, "\(outcome.text)", sourceLocation: sourceLocation)
    #expect(!outcome.text.contains("Fatal error"), "\(outcome.text)", sourceLocation: sourceLocation)
  }

  /// The same images in the same order are the same run; it may even go on from the other form.
  @Test func aRecordFileIsItsFolder() throws {
    let record = try pack()
    let folder = try train([faces.path], "folder")
    #expect(folder.exitCode == 0, "\(folder.text)")
    let packed = try train([record], "packed", ["--stop-after", "3"])
    #expect(packed.exitCode == 75, "\(packed.text)")
    let resumed = try Subprocess.cosface(["train", "--resume", files["packed"], "--data", faces.path])
    #expect(resumed.exitCode == 0, "\(resumed.text)")
    #expect(try model("packed") == model("folder"))
    // Without catalog and .idx people have numbers for names, and all else is the same.
    try FileManager.default.removeItem(atPath: record + ".catalog")
    try FileManager.default.removeItem(atPath: files["set/train.idx"])
    let bare = try train([files["set"]], "bare", ranks: 2)
    #expect(bare.exitCode == 0 && bare.text.contains("20 images of 4 people"), "\(bare.text)")
  }

  /// Two sets with the same names, balanced, at most three images each: stopped and gone on with.
  @Test(arguments: [1, 2]) func severalSetsBalancedAndResumed(ranks: Int) throws {
    let record = try pack()
    let more = [
      "--sampling", "balanced", "--max-images-per-person", "3", "--min-images-per-person", "2", "--holdout-people", "2",
    ]
    let whole = try train([faces.path, record], "whole", more, ranks: ranks)
    #expect(whole.exitCode == 0, "\(whole.text)")
    #expect(whole.text.contains("18 images of 6 people; 10 images of 2 people held out"), "\(whole.text)")
    let parted = try train([faces.path, record], "parted", more + ["--stop-after", "2"], ranks: ranks)
    #expect(parted.exitCode == 75, "\(parted.text)")
    let resumed = try Subprocess.cosface(["train", "--resume", files["parted"]], ranks: ranks)
    #expect(resumed.exitCode == 0, "\(resumed.text)")
    #expect(try model("parted") == model("whole"))
    expectRefusal(
      try Subprocess.cosface(["train", "--resume", files["parted"], "--sampling", "uniform"], ranks: ranks), "sampling",
      "balanced", "uniform")
    let joined = try train([faces.path], "joined", ["--data", record, "--join-people"], ranks: ranks)
    #expect(joined.exitCode == 0 && joined.text.contains("40 images of 4 people"), "\(joined.text)")
  }

  /// People numbered from 1, and one taken out: the run keeps the labels as names, and says so.
  @Test func labelsWithGaps() throws {
    let labels = [1, 2, 9, 30]
    func record(_ people: [Int]) -> Data {
      let images = people.flatMap { person in (0..<5).map { (person, $0) } }
      return Data(
        RecordFixture.plain(
          images.map { (Float(labels[$0]), [UInt8](FaceFolder.pgm(person: $0, image: $1, side: 48))) }
        ).bytes)
    }
    try files.write(record([0, 1, 2, 3]), to: "set/train.rec")
    try files.write(record([3, 1]), to: "part/train.rec")
    let note = "its 4 people have the numbers 1 to 30, not 0, 1, 2 ...: classes are numbered anew in their order"
    let info = try Subprocess.cosface(["dataset", "info", files["set"]])
    #expect(info.exitCode == 0 && info.text.contains(note), "\(info.text)")
    let check = try Subprocess.cosface(["dataset", "check", files["set"]])
    #expect(check.exitCode == 0 && check.text.contains(note), "\(check.text)")
    let whole = try train([files["set"]], "whole")
    #expect(whole.exitCode == 0 && whole.text.contains("20 images of 4 people"), "\(whole.text)")
    #expect(whole.lines.count { $0.contains(note) } == 1, "\(whole.text)")
    let parted = try train([files["set"]], "parted", ["--stop-after", "1"], ranks: 2)
    #expect(parted.exitCode == 75 && parted.lines.count { $0.contains(note) } == 1, "\(parted.text)")
    let resumed = try Subprocess.cosface(["train", "--resume", files["parted"], "--stop-after", "1"], ranks: 2)
    #expect(resumed.exitCode == 75, "\(resumed.text)")
    #expect(
      try ModelFile.description(of: SafetensorsFile(path: files["whole/model.safetensors"])).classNames == [
        "1", "2", "9", "30",
      ])
    // A set of two of them: the rows go by the labels, not by their places.
    let warm = try train([files["part"]], "warm", ["--weights", files["whole"], "--stop-after", "1"])
    #expect(warm.exitCode == 75 && !warm.text.contains("new rows"), "\(warm.text)")
    // A set of the same classes without gaps is another.
    expectRefusal(
      try Subprocess.cosface(["train", "--resume", files["parted"], "--data", faces.path]), "people")
    let evaluated = try Subprocess.cosface(
      ["evaluate", "--model", files["whole"], "--data", files["set"]])
    #expect(evaluated.exitCode == 0 && evaluated.text.contains(note), "\(evaluated.text)")
    let union = try train([files["set"], files["part"]], "union", ["--stop-after", "1"])
    #expect(union.exitCode == 75 && union.text.contains("30 images of 6 people"), "\(union.text)")
  }

  @Test func theSameVerdictInEveryForm() throws {
    let network = NetworkKind.spherenet20.makeNetwork(embeddingWidth: 32, inputSide: 48)
    network.initialize(seed: 4)
    let description = ModelDescription(
      network: .spherenet20, embeddingWidth: 32, inputSide: 48, classNames: [], step: 7)
    try ModelFile.write(network, classWeight: nil, description, to: files["model.safetensors"])
    func evaluate(_ data: String, _ more: [String] = [], ranks: Int = 1) throws -> (
      EvaluationReport, Subprocess.Outcome
    ) {
      let outcome = try Subprocess.cosface(
        ["evaluate", "--json", "--model", files["model.safetensors"], "--data", data] + more, ranks: ranks)
      #expect(outcome.exitCode == 0, "\(outcome.text)")
      return (try JSONDecoder().decode(EvaluationReport.self, from: Data(outcome.text.utf8)), outcome)
    }
    let folder = try evaluate(faces.path).0
    let record = try evaluate(try pack()).0
    #expect(record.verification == folder.verification && record.people == 4 && record.images == 20)

    // Pairs as a list, and as a .bin.
    let source = try ImageFolder(root: faces.path)
    let pairs = PairBinFixture.pairs(of: source, count: 40)
    let lines = pairs.map {
      "\(source.identifier(of: $0.first)) \(source.identifier(of: $0.second)) \($0.same ? 1 : 0)"
    }
    let list = try files.write(Data(lines.joined(separator: "\r\n").utf8), to: "pairs.txt")
    let bin = try files.write(Data(PairBinFixture.bytes(of: source, pairs)), to: "pairs.bin")
    let listed = try evaluate(faces.path, ["--pairs", list, "--output", files["listed.csv"]]).0
    let (binned, outcome) = try evaluate(bin, ["--output", files["binned.csv"]])
    #expect(binned.verification.best == listed.verification.best && binned.images == listed.images)
    #expect(binned.verification.curve == listed.verification.curve && binned.people == nil)
    // The folds are those that its users know, and the file of scores has them.
    #expect(binned.verification.crossValidation?.prescribed == true)
    func column(_ name: String, _ place: Int) throws -> [String] {
      try String(contentsOfFile: files[name], encoding: .utf8).split(separator: "\n").dropFirst()
        .map { String($0.split(separator: ",")[place]) }
    }
    #expect(try column("binned.csv", 3) == (0..<40).map { "\($0 / 4)" })
    #expect(try column("listed.csv", 3) == (0..<40).map { "\($0 / 2 % 10)" })
    #expect(try column("binned.csv", 4) == column("listed.csv", 4))
    #expect(try evaluate(bin, ranks: 3).1.text == outcome.text)
    expectRefusal(
      try Subprocess.cosface(
        ["evaluate", "--model", files["model.safetensors"], "--data", bin, "--pairs", list]), "holds its own pairs")
    let evaluated = try train([faces.path], "evaluated", ["--validation", bin, "--validate-every", "3"], ranks: 2)
    #expect(evaluated.exitCode == 0 && evaluated.text.contains("over 40 pairs"), "\(evaluated.text)")
  }

  @Test(arguments: [1, 2]) func refusals(ranks: Int) throws {
    let record = try pack()
    let bytes = try Data(contentsOf: URL(fileURLWithPath: record))
    try files.write(bytes.dropLast(100), to: "set/train.rec")
    expectRefusal(
      try train([record], "r", ranks: ranks), "train.rec: it has \(bytes.count - 100) bytes, but its catalog",
      "copy it again")
    try FileManager.default.removeItem(atPath: record + ".catalog")
    expectRefusal(try train([record], "r", ranks: ranks), "train.rec: the record at byte")
    let bin = try files.write(to: "pairs.bin")
    expectRefusal(try train([bin], "r", ranks: ranks), "a .bin holds pairs without people")
    let list = try files.write(Data("none/1.jpg a\nnone/2.jpg b\n".utf8), to: "list.txt")
    expectRefusal(try train([list], "r", ranks: ranks), "none/1.jpg: the image cannot be read: No such file")
    expectRefusal(
      try train([faces.path], "r", ["--min-images-per-person", "6"], ranks: ranks),
      "0 of 4 people have 6 images or more")
    try FileManager.default.createSymbolicLink(atPath: files["link"], withDestinationPath: faces.path)
    for again in [faces.path, faces.path + "/", files["link"]] {
      expectRefusal(
        try train([faces.path], "r", ["--data", again, "--join-people"], ranks: ranks), "given", "Give each set once")
    }
    expectRefusal(try train([files["set"], record], "r", ranks: ranks), "this is the set that was given as")
    expectRefusal(try train([faces.path], "r", ["--sampling", "fair"], ranks: ranks), "fair")
    expectRefusal(try train([faces.path], "r", ["--join-people"], ranks: ranks), "--join-people needs several sets")
  }
}
