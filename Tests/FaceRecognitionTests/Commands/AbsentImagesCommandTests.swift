import Foundation
import TestSupport
import Testing

/// Images that are not there, and files that are no images, as a person meets them: told before the work, counted behind it.
@Suite(.serialized) struct AbsentImagesCommandTests {
  private let faces: FaceFolder
  private let files: TemporaryFolder
  /// What is not there, and one that is empty: that shows only when it is read.
  private static let absent = ["p00/01.pgm", "p01/02.pgm", "p02/03.pgm", "p03/04.pgm"]
  private static let empty = "p03/00.pgm"

  init() throws {
    faces = try FaceFolder(people: 4, images: 5)
    files = try TemporaryFolder()
  }

  /// A broken link, a folder, a pipe and a link to itself in images' places.
  private func damage() throws {
    let manager = FileManager.default
    let paths = Self.absent.map { "\(faces.path)/\($0)" }
    for path in paths { try manager.removeItem(atPath: path) }
    try manager.createSymbolicLink(atPath: paths[0], withDestinationPath: "nowhere")
    try manager.createDirectory(atPath: paths[1], withIntermediateDirectories: false)
    try #require(mkfifo(paths[2], 0o600) == 0)
    try manager.createSymbolicLink(atPath: paths[3], withDestinationPath: "04.pgm")
    try faces.write(Data(), to: Self.empty)
  }

  /// A list that names an image of p01 that is not there.
  private func list(labelled: Bool) throws -> String {
    let lines = (0..<20).map { number in
      let name = number == 7 ? "p01/none.pgm" : FaceFolder.name(number / 5, number % 5)
      return "\(faces.path)/\(name)" + (labelled ? "\tp\(number / 5)" : "")
    }
    return try files.write(Data(lines.joined(separator: "\n").utf8), to: labelled ? "list.txt" : "names.txt")
  }

  private func train(_ data: String, _ run: String, _ more: String..., ranks: Int = 1) throws -> Subprocess.Outcome {
    try Subprocess.cosface(
      [
        "train", "--data", data, "--output", files[run], "--network", "mobilefacenet", "--embedding", "32",
        "--input-size", "48", "--batch-size", "4", "--optimizer", "sgd", "--learning-rate", "0.01", "--steps", "5",
      ] + more, ranks: ranks)
  }

  private func expectNames(_ text: String, _ names: [String], sourceLocation: SourceLocation = #_sourceLocation) {
    for name in names { #expect(text.contains("\(name): "), "\(text)", sourceLocation: sourceLocation) }
  }

  @Test func training() throws {
    let data = try list(labelled: true)
    let missing = try train(data, "refused", ranks: 2)
    expectRefusal(missing, "1 image cannot be read, more than the 0 that --max-bad-images allows", "p01/none.pgm: ")
    #expect(missing.exitCode == 1)
    #expect(try train(data, "listed", "--max-bad-images", "0.05", "--stop-after", "1").exitCode == 75)
    try damage()
    let refused = try train(faces.path, "refused", "--max-bad-images", "0.15")
    expectRefusal(refused, "4 images cannot be read, more than the 3")
    expectNames(refused.text, Self.absent)
    #expect(refused.exitCode == 1 && !FileManager.default.fileExists(atPath: files["refused"]))
    let trained = try train(faces.path, "run", "--max-bad-images", "0.25", ranks: 2)
    #expect(trained.exitCode == 0, "\(trained.text)")
    expectNames(trained.text, Self.absent + [Self.empty])
    #expect(trained.lines.contains("skipped   4 images in all, not there; --max-bad-images allows 5"))
    #expect(trained.lines.contains("skipped   5 images in all; --max-bad-images allows 5"), "\(trained.text)")
    // Of nobody's images all may be absent.
    for image in 0..<5 { try? FileManager.default.removeItem(atPath: "\(faces.path)/\(FaceFolder.name(0, image))") }
    try FileManager.default.createSymbolicLink(atPath: faces.path + "/p00/01.pgm", withDestinationPath: "nowhere")
    expectRefusal(try train(faces.path, "nobody", "--max-bad-images", "1"), "/p00: none of the 1 image")
  }

  /// People to validate on are looked at before the first step, too.
  @Test func validation() throws {
    let others = try FaceFolder(people: 2, images: 3)
    try FileManager.default.removeItem(atPath: others.path + "/p01/01.pgm")
    try FileManager.default.createSymbolicLink(atPath: others.path + "/p01/01.pgm", withDestinationPath: "nowhere")
    let refused = try train(faces.path, "run", "--validation", others.path, ranks: 2)
    expectRefusal(refused, "1 of 6 images cannot be read, where 0 may be unreadable", "/p01/01.pgm: ")
    #expect(refused.exitCode == 1 && !refused.text.contains("step 1/"), "\(refused.text)")
    let accepted = try train(faces.path, "run", "--validation", others.path, "--max-bad-images", "0.2")
    #expect(accepted.exitCode == 0 && accepted.text.contains("pairs; 1 image could not be read"), "\(accepted.text)")
    // One that shows only when it is read: it would come again, and `--restarts` must not try.
    try others.write(Data("none".utf8), to: "p00/00.pgm")
    let late = try train(faces.path, "late", "--validation", others.path, "--max-bad-images", "0.2")
    expectRefusal(late, "2 of 6 images cannot be read", "/p00/00.pgm: ")
    #expect(late.exitCode == 1)
  }

  @Test func embeddingAndEvaluation() throws {
    try RandomModel.write(.mobilefacenet, to: files["model.safetensors"])
    func run(_ command: String, _ more: String...) throws -> Subprocess.Outcome {
      try Subprocess.cosface([command, "--model", files.path] + more)
    }
    let names = try list(labelled: false)
    expectRefusal(
      try run("embed", "--data", names, "--output", files["e.csv"]), "1 of 20 images cannot be read", "p01/none.pgm: ")
    let listed = try run("embed", "--data", names, "--output", files["e.csv"], "--max-bad-images", "0.05")
    #expect(listed.exitCode == 0 && listed.text.contains("e.csv: 19 rows; 1 image skipped"), "\(listed.text)")
    try damage()
    let refused = try run("embed", "--data", faces.path, "--output", files["f.csv"])
    expectRefusal(refused, "At least 3 of 19 images cannot be read")
    let embedded = try run("embed", "--data", faces.path, "--output", files["f.csv"], "--max-bad-images", "0.3")
    #expect(embedded.exitCode == 0 && embedded.text.contains("f.csv: 15 rows; 4 images skipped"), "\(embedded.text)")
    expectNames(embedded.text, [Self.absent[0], Self.absent[2], Self.absent[3], Self.empty])
    let few = ["--max-bad-images", "0.15"]
    for more in [["--data", faces.path], ["--probes", faces.path, "--distractors", faces.path]] {
      let refused = try Subprocess.cosface(["evaluate", "--model", files.path] + more + few)
      expectRefusal(refused, "At least 4 of 20 images cannot be read, where 3 may be unreadable")
      expectNames(refused.text, Self.absent)
    }
    expectRefusal(
      try run("identify", "--gallery", faces.path, "\(faces.path)/p00/00.pgm"), "At least 4 of 20 images cannot be read"
    )
    expectRefusal(
      try run("compare", "\(faces.path)/p00/00.pgm", "\(faces.path)/p00/01.pgm"), "1 of 2 images", "p00/01.pgm: ")
  }

  @Test func packing() throws {
    let record = files["set/train.rec"]
    try files.write(to: "set/.keep")
    let data = try list(labelled: true)
    expectRefusal(try Subprocess.cosface(["dataset", "pack", data, record]), "p01/none.pgm: ", "--skip-unreadable")
    try damage()
    let refused = try Subprocess.cosface(["dataset", "pack", faces.path, record])
    expectRefusal(refused, "p00/01.pgm: ", "and so it is with 3 other images", "--skip-unreadable")
    #expect(try FileManager.default.contentsOfDirectory(atPath: files["set"]) == [".keep"])
    let packed = try Subprocess.cosface(["dataset", "pack", faces.path, record, "--skip-unreadable"])
    #expect(packed.exitCode == 0 && packed.text.contains("train.rec: 15 images of 4 people"), "\(packed.text)")
    #expect(packed.lines.last?.hasSuffix(" bytes; 5 images skipped") == true, "\(packed.text)")
    expectNames(packed.text, Self.absent + [Self.empty])
    let info = try Subprocess.cosface(["dataset", "info", faces.path])
    #expect(info.exitCode == 0 && info.text.contains("no files     4 of the images"), "\(info.text)")
    let check = try Subprocess.cosface(["dataset", "check", faces.path])
    #expect(check.exitCode == 1 && check.text.contains("unreadable   5"), "\(check.text)")
  }

  /// JPEG by other endings is read in any case; other formats are counted by their endings.
  @Test func filesPassedOver() throws {
    let picture = [Data](
      (0..<5).map { image in Data(Picture(width: 48, height: 48) { x, y, _ in UInt8((x * y + 9 * image) % 251) }.jpeg())
      })
    for (number, ending) in ["jfif", "JPE", "JFIF", "jpe", "JpEg"].enumerated() {
      try faces.write(picture[number], to: "p04/\(number).\(ending)")
    }
    for ending in ["bmp", "webp", "GIF", "tif", "tiff", "heic"] {
      for person in 0..<2 { try faces.write(Data("other".utf8), to: "p0\(person)/a.\(ending)") }
    }
    try faces.write(Data("text".utf8), to: "README")
    try RandomModel.write(.mobilefacenet, to: files["model.safetensors"])
    let note =
      "passed over are 13 files (.bmp 2, .gif 2, .heic 2, .tif 2, .tiff 2, .webp 2, others 1); read are the endings"
    try files.write(to: "set/.keep")
    let commands = [
      ["dataset", "info", faces.path], ["dataset", "check", faces.path],
      ["dataset", "pack", faces.path, files["set/train.rec"]],
      ["embed", "--model", files.path, "--data", faces.path, "--output", files["e.npy"]],
      ["evaluate", "--model", files.path, "--data", faces.path],
      ["identify", "--model", files.path, "--gallery", faces.path, "\(faces.path)/p04/1.JPE"],
    ]
    for command in commands {
      let outcome = try Subprocess.cosface(command)
      #expect(outcome.exitCode == 0, "\(outcome.text)")
      #expect(outcome.lines.count { $0.contains(note) } == 1, "\(command[0...1]): \(outcome.text)")
    }
    let trained = try train(faces.path, "run", "--validation", faces.path, "--stop-after", "1", ranks: 2)
    #expect(trained.exitCode == 75 && trained.text.contains("25 images of 5 people"), "\(trained.text)")
    #expect(trained.lines.count { $0.contains(note) } == 1, "\(trained.text)")
  }
}
