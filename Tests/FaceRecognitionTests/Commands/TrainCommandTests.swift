import Foundation
import TestSupport
import Testing

/// The program as a person meets it: its real output, and one clear message for each bad input.
@Suite(.serialized) struct TrainCommandTests {
  private let faces: FaceFolder
  private let runs: String

  init() throws {
    faces = try FaceFolder(people: 4, images: 5)
    runs = faces.path + "-runs"
  }

  private func arguments(data: String? = nil, output: String = "run", _ more: [String] = []) -> [String] {
    [
      "train", "--data", data ?? faces.path, "--output", "\(runs)/\(output)", "--network", "mobilefacenet",
      "--embedding",
      "32", "--input-size", "48", "--batch-size", "4", "--steps", "6", "--optimizer", "sgd", "--learning-rate", "0.05",
      "--seed", "3",
    ] + more
  }

  /// A refusal: no success, and the words in one message that one rank says.
  private func expectRefusal(
    _ outcome: Subprocess.Outcome, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(outcome.exitCode != 0, sourceLocation: sourceLocation)
    for word in words { #expect(outcome.text.contains(word), "\(outcome.text)", sourceLocation: sourceLocation) }
    let messages = outcome.lines.filter { $0.hasPrefix("Error:") }
    #expect(messages.count == 1, "\(outcome.text)", sourceLocation: sourceLocation)
    #expect(!outcome.text.contains("crashed") && !outcome.text.contains("Fatal error"), sourceLocation: sourceLocation)
  }

  private func metrics(_ run: String) throws -> [[String: Any]] {
    let text = try String(contentsOfFile: "\(runs)/\(run)/metrics.jsonl", encoding: .utf8)
    return try text.split(separator: "\n").map {
      try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  @Test(arguments: [1, 2, 3]) func trains(ranks: Int) throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    let outcome = try Subprocess.cosface(arguments(["--augment", "standard", "--verify-replicas", "2"]), ranks: ranks)
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    #expect(outcome.text.contains("20 images of 4 people"))
    #expect(outcome.text.contains("ranks     \(ranks)"))
    let lines = try metrics("run")
    #expect(lines.map { $0["step"] as? Int } == Array(0..<6))
    let losses = lines.compactMap { $0["loss"] as? Double }
    #expect(losses.count == 6 && losses.allSatisfy { $0.isFinite && $0 > 0 })
    // 20 images in global batches of 4 P: what is left over is trained on too.
    let perEpoch = (20 + 4 * ranks - 1) / (4 * ranks)
    let samples = lines.prefix(perEpoch).compactMap { $0["samples"] as? Int }
    #expect(samples.reduce(0, +) == 20)
    #expect(FileManager.default.fileExists(atPath: "\(runs)/run/model.safetensors"))
    #expect(FileManager.default.fileExists(atPath: "\(runs)/run/configuration.json"))
  }

  @Test func lossFallsOnFacesThatCanBeLearned() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    let outcome = try Subprocess.cosface(
      arguments(["--augment", "none", "--batch-size", "10", "--steps", "40", "--logit-scale", "16"]))
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    let losses = try metrics("run").compactMap { $0["loss"] as? Double }
    let (first, last) = (losses.prefix(4).reduce(0, +), losses.suffix(4).reduce(0, +))
    #expect(last < 0.5 * first, "\(losses)")
  }

  @Test(arguments: [1, 2]) func missingAndEmptyData(ranks: Int) throws {
    expectRefusal(try Subprocess.cosface(arguments(data: "/nowhere/faces"), ranks: ranks), "/nowhere/faces")
    let empty = faces.path + "-empty"
    try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: empty) }
    expectRefusal(try Subprocess.cosface(arguments(data: empty), ranks: ranks), empty)
  }

  @Test func onePersonIsTooFew() throws {
    let lonely = try FaceFolder(people: 1, images: 5)
    expectRefusal(try Subprocess.cosface(arguments(data: lonely.path)), lonely.path, "2")
  }

  @Test func aPersonWithoutReadableImage() throws {
    for image in 0..<5 { try faces.write(Data("no image".utf8), to: FaceFolder.name(2, image)) }
    let outcome = try Subprocess.cosface(arguments(["--max-bad-images", "1"]), ranks: 2)
    expectRefusal(outcome, "p02")
  }

  @Test(arguments: [1, 2]) func brokenImagesAreNamedAndCounted(ranks: Int) throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    try faces.write(Data(), to: FaceFolder.name(0, 1))
    try faces.write(FaceFolder.pgm(person: 1, image: 1, side: 48).prefix(300), to: FaceFolder.name(1, 1))
    let accepted = try Subprocess.cosface(arguments(["--max-bad-images", "0.1"]), ranks: ranks)
    #expect(accepted.exitCode == 0, "\(accepted.text)")
    #expect(accepted.lines.count { $0.hasPrefix("skipped   p0") } == 2, "\(accepted.text)")
    #expect(accepted.lines.count { $0.hasPrefix("skipped   2 images in all; ") } == 1, "\(accepted.text)")
    #expect(accepted.text.contains("p00/01.pgm") && accepted.text.contains("p01/01.pgm"))
    #expect(try metrics("run").last?["badImages"] as? Int == 2)
    expectRefusal(
      try Subprocess.cosface(arguments(output: "refused", ["--max-bad-images", "0.05"]), ranks: ranks), "2 images",
      "--max-bad-images")
  }

  @Test(arguments: [
    (["--margin", "0.5"], "--margin"), (["--margin", "-0.1"], "--margin"),
    (["--margin", "1.5", "--allow-large-margin"], "--margin"), (["--batch-size", "0"], "--batch-size"),
    (["--network", "resnet"], "resnet"), (["--steps", "0"], "--steps"), (["--embedding", "100"], "--embedding"),
    (["--input-size", "100"], "--input-size"), (["--learning-rate", "nan"], "--learning-rate"),
    (["--logit-scale", "8", "--logit-multiplier", "8"], "--logit-multiplier"), (["--warmup", "soon"], "soon"),
    (["--schedule", "step"], "--milestones"), (["--dropout", "0.5"], "--dropout"),
  ])
  func badOptions(options: [String], word: String) throws {
    expectRefusal(try Subprocess.cosface(arguments(options)), word)
  }

  @Test func badOptionsUnderMPIAreSaidOnce() throws {
    expectRefusal(
      try Subprocess.cosface(arguments(["--batch-size", "0"]), ranks: 3), "--batch-size", "from 1 to 65536")
  }

  @Test func aLargeMarginWhereItIsAllowed() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    let outcome = try Subprocess.cosface(arguments(["--margin", "0.6", "--allow-large-margin", "--steps", "2"]))
    #expect(outcome.exitCode == 0, "\(outcome.text)")
  }

  @Test func singleSamplesStarveBatchNormalization() throws {
    expectRefusal(try Subprocess.cosface(arguments(["--batch-size", "1"])), "--batch-size 1", "spherenet20")
  }

  @Test func outputThatHoldsARunOrCannotBeWritten() throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    #expect(try Subprocess.cosface(arguments(["--steps", "2"])).exitCode == 0)
    let model = try Data(contentsOf: URL(fileURLWithPath: "\(runs)/run/model.safetensors"))
    expectRefusal(try Subprocess.cosface(arguments(), ranks: 2), "already holds a run")
    #expect(try Data(contentsOf: URL(fileURLWithPath: "\(runs)/run/model.safetensors")) == model)
    expectRefusal(try Subprocess.cosface(arguments(output: "run/model.safetensors/below")), "below")
    var nowhere = arguments()
    nowhere[nowhere.firstIndex(of: "--output")! + 1] = "/proc/cosface"
    expectRefusal(try Subprocess.cosface(nowhere), "/proc/cosface")
  }

  @Test func ranksThatWereStartedDifferently() throws {
    let outcome = try Subprocess.cosface(arguments(), and: arguments(["--margin", "0.3"]))
    expectRefusal(outcome, "margin", "0.35", "0.3", "rank 1")
  }

  @Test func ranksThatSeeDifferentData() throws {
    let other = try FaceFolder(people: 4, images: 5)
    try FileManager.default.removeItem(atPath: "\(other.path)/\(FaceFolder.name(3, 4))")
    // One option value, two folders: each rank looks from where it stands.
    let relative = arguments(data: "faces")
    let folders = [faces.path, other.path].map { $0 + "-home" }
    defer { for folder in folders { try? FileManager.default.removeItem(atPath: folder) } }
    for (folder, target) in zip(folders, [faces.path, other.path]) {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(atPath: folder + "/faces", withDestinationPath: target)
    }
    expectRefusal(try Subprocess.cosface(relative, and: relative, folders: folders), "data in faces", "rank 1")
  }

  /// It would come again: launch.sh must not start it again.
  @Test(arguments: [1, 2]) func aPersonWithoutAReadableImage(ranks: Int) throws {
    defer { try? FileManager.default.removeItem(atPath: runs) }
    let broken = try FaceFolder(people: 3, images: 3)
    for image in 0..<3 { try broken.write(Data("none".utf8), to: FaceFolder.name(1, image)) }
    let outcome = try Subprocess.cosface(
      arguments(data: broken.path, ["--max-bad-images", "1", "--steps", "20"]), ranks: ranks)
    expectRefusal(
      outcome, "/p01: none of the 3 images of this person can be read", "Mend the images or remove the person")
    #expect(outcome.exitCode == 1)
  }

  @Test func moreRanksThanSamples() throws {
    let few = try FaceFolder(people: 2, images: 1)
    expectRefusal(try Subprocess.cosface(arguments(data: few.path), ranks: 3), "3", "2")
  }

  @Test func aLossThatBreaksNamesWhere() throws {
    let outcome = try Subprocess.cosface(arguments(["--learning-rate", "1e30", "--steps", "20"]), ranks: 2)
    expectRefusal(outcome, "step", "rank", "not finite")
  }
}
