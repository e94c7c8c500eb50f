import Files
import Foundation
import TestSupport
import Testing

/// Runs that learn from another network, as a person meets them.
@Suite(.serialized) struct TeacherCommandTests {
  private let faces: FaceFolder
  private let files: TemporaryFolder
  private let teacher: String

  /// The teacher is of another size and width than the student.
  init() throws {
    faces = try FaceFolder(people: 4, images: 6)
    files = try TemporaryFolder()
    teacher = files["teacher.safetensors"]
    try RandomModel.write(.spherenet20, to: teacher, seed: 4)
  }

  private func train(_ run: String, _ more: [String] = [], data: String? = nil, ranks: Int = 1) throws
    -> Subprocess.Outcome
  {
    try Subprocess.cosface(
      [
        "train", "--data", data ?? faces.path, "--output", files[run], "--network", "mobilefacenet", "--embedding",
        "48",
        "--input-size", "64", "--batch-size", "4", "--steps", "8",
      ] + more, ranks: ranks)
  }

  private func contents(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: files[path])) }

  private func embed(_ flip: String, _ output: String) throws {
    let outcome = try Subprocess.cosface([
      "embed", "--model", teacher, "--data", faces.path, "--output", files[output], "--flip", flip,
    ])
    #expect(outcome.exitCode == 0, "\(outcome.text)")
  }

  /// Map, momenta and all: a run that was stopped leaves the bytes of one that was not.
  @Test(arguments: [
    (1, []), (2, ["--classifier", "sharded"]), (3, ["--optimizer", "sgd", "--learning-rate", "0.01"]),
    (2, ["--no-labels"]),
  ]) func theSameBytes(ranks: Int, options: [String]) throws {
    let options = options + ["--teacher", teacher, "--checkpoint-every", "3"]
    let whole = try train("whole", options, ranks: ranks)
    #expect(whole.exitCode == 0, "\(whole.text)")
    #expect(whole.text.contains("embedding 32 (from 48 by a linear map), pictures of 48 x 48"), "\(whole.text)")
    #expect(try train("parted", options + ["--stop-after", "5"], ranks: ranks).exitCode == 75)
    let resumed = try Subprocess.cosface(["train", "--resume", files["parted"]], ranks: ranks)
    #expect(resumed.exitCode == 0, "\(resumed.text)")
    for file in ["model.safetensors", "checkpoints/step-00000008/optimizer.safetensors"] {
      #expect(try contents("whole/\(file)") == contents("parted/\(file)"), "\(file)")
    }
    // The map is the run's, not the model's.
    let optimizer = try SafetensorsFile(path: files["whole/checkpoints/step-00000008/optimizer.safetensors"])
    #expect(try optimizer.shape(of: "teacher.map") == [32, 48])
    #expect(try !SafetensorsFile(path: files["whole/model.safetensors"]).contains("teacher.map"))
    let cosines = try RunMetrics.teacherCosines(files["whole"])
    #expect(cosines.count == 8 && cosines.allSatisfy { (-1...1).contains($0) })
    // A checkpoint of it is a model as any other.
    let next = try train("next", ["--weights", files["whole/checkpoints/step-00000008"], "--stop-after", "1"])
    #expect(next.exitCode == 75, "\(next.text)")
  }

  /// Written embeddings teach what the network itself does, where pictures are only mirrored.
  @Test func writtenEmbeddingsAreTheTeachers() throws {
    try embed("concatenate", "rows.safetensors")
    let plain = ["--augment", "flip", "--no-labels"]
    let live = try train("live", plain + ["--teacher", teacher])
    let written = try train("written", plain + ["--teacher-embeddings", files["rows.safetensors"]], ranks: 1)
    #expect(live.exitCode == 0 && written.exitCode == 0, "\(written.text)")
    let cosines = try (
      live: RunMetrics.teacherCosines(files["live"]),
      written: RunMetrics.teacherCosines(files["written"])
    )
    for (a, b) in zip(cosines.live, cosines.written) { #expect(abs(a - b) <= 2e-4, "\(cosines)") }
    #expect(cosines.live.count == 8)
    // Both looks in one row are another teacher.
    try embed("sum", "sums.safetensors")
    let sums = try train("sums", plain + ["--teacher-embeddings", files["sums.safetensors"]])
    #expect(sums.exitCode == 0, "\(sums.text)")
    #expect(try RunMetrics.teacherCosines(files["sums"]) != cosines.written)
  }

  /// Images that lie in no people's folders.
  @Test func withoutLabels() throws {
    let flat = files["flat"]
    try FileManager.default.createDirectory(atPath: flat, withIntermediateDirectories: true)
    for person in 0..<4 {
      for image in 0..<3 {
        try FileManager.default.copyItem(
          atPath: "\(faces.path)/\(FaceFolder.name(person, image))", toPath: "\(flat)/\(person)-\(image).pgm")
      }
    }
    let more = ["--no-labels", "--teacher", teacher, "--data", flat, faces.path]
    let outcome = try Subprocess.cosface(
      [
        "train", "--output", files["run"], "--embedding", "48", "--input-size", "64", "--batch-size", "6", "--epochs",
        "1",
      ]
        + more, ranks: 2)
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    #expect(outcome.text.contains("36 images without labels"), "\(outcome.text)")
    let advice = "nobody teaches more than 32 of the embedding's 48 dimensions: give --embedding 32"
    #expect(outcome.text.split(separator: "\n").filter { $0.contains("warning") }.count == 1)
    #expect(outcome.text.contains(advice), "\(outcome.text)")
    expectRefusal(try train("people", data: flat), "NAME/IMAGE")
  }

  @Test func anotherTeacherIsRefused() throws {
    #expect(try train("run", ["--teacher", teacher, "--stop-after", "2"]).exitCode == 75)
    let other = files["other.safetensors"]
    try RandomModel.write(.spherenet20, to: other, seed: 5)
    let resume = ["train", "--resume", files["run"], "--teacher", other]
    expectRefusal(try Subprocess.cosface(resume), "teacher", "--accept-changes")
    // The same one, moved.
    let moved = files["moved.safetensors"]
    try FileManager.default.moveItem(atPath: teacher, toPath: moved)
    let gone = try Subprocess.cosface(["train", "--resume", files["run"]])
    expectRefusal(gone, "teacher.safetensors")
    let found = try Subprocess.cosface(["train", "--resume", files["run"], "--teacher", moved])
    #expect(found.exitCode == 0, "\(found.text)")
  }

  @Test(arguments: [
    ("--no-labels", "--no-labels needs what to learn from"),
    ("--teacher t --teacher-embeddings e", "exclude each other"),
    ("--teacher-weight 3", "goes with --teacher or --teacher-embeddings"),
    ("--no-labels --teacher t --margin 0.2", "Margin, scale and norm"),
    ("--no-labels --teacher t --logit-scale 9", "Margin, scale and norm"),
    ("--no-labels --teacher t --holdout-people 2", "--holdout-people needs people"),
    ("--no-labels --teacher t --sampling balanced", "need people"),
    ("--no-labels --teacher t --classifier sharded", "for people's classes"),
    ("--teacher missing.onnx", "missing.onnx"),
    ("--teacher-embeddings missing.safetensors", "missing.safetensors"),
  ]) func refused(options: String, message: String) throws {
    expectRefusal(try train("refused", options.split(separator: " ").map(String.init)), message)
    #expect(!FileManager.default.fileExists(atPath: files["refused"]))
  }

  /// A file that is no teacher for these images.
  @Test func embeddingsOfOtherImages() throws {
    func refuse(_ path: String, _ words: String, data: String? = nil) throws {
      expectRefusal(try train("refused", ["--teacher-embeddings", path], data: data), words)
    }
    try refuse(teacher, "does not hold the embeddings and names")
    var writer = SafetensorsWriter(metadata: ["flip": "none"])
    writer.add("embeddings", shape: [1, 4], [Float](repeating: 1, count: 4))
    writer.add("names", shape: [9], Array("0/1.jpg\n\n".utf8))
    try writer.write(to: files["short.safetensors"])
    try refuse(files["short.safetensors"], "2 names for 1 rows")
    try embed("none", "rows.safetensors")
    let more = try FaceFolder(people: 5, images: 6)
    try refuse(
      files["rows.safetensors"], "6 of the 30 images of \(more.path) have no row of their own", data: more.path)
  }
}
