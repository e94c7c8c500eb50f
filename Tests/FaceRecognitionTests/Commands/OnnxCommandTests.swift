import Files
import Foundation
import NeuralNetwork
import TestSupport
import Testing
import Weights

/// A model of another program, as a person gives it: every command takes it, and none needs to be told what it is.
@Suite(.serialized) struct OnnxCommandTests {
  private let faces: FaceFolder
  private let files: TemporaryFolder
  private let model: String

  init() throws {
    faces = try FaceFolder(people: 4, images: 6)
    files = try TemporaryFolder()
    let network = try RandomModel.write(.mobilefacenet, to: files["own.safetensors"])
    model = try files.write(ForeignExporter(folds: true).export(network).data, to: "foreign.onnx")
  }

  private var face: String { "\(faces.path)/\(FaceFolder.name(0, 0))" }

  @Test func everyCommandTakesIt() throws {
    for command in [
      ["embed", "--data", faces.path, "--output", files["rows.npy"]], ["compare", face, face],
      ["identify", face, "--gallery", faces.path], ["evaluate", "--data", faces.path],
      ["export", "--format", "safetensors", "--output", files["out.safetensors"]],
    ] {
      let outcome = try Subprocess.cosface(command + ["--model", model])
      #expect(outcome.exitCode == 0, "\(command): \(outcome.text)")
      #expect(outcome.text.contains("batch normalizations were folded"), "\(command): \(outcome.text)")
    }
    let inspected = try Subprocess.cosface(["inspect", model])
    #expect(inspected.exitCode == 0 && inspected.text.contains("mobilefacenet, embedding 32, input 48 x 48"))
  }

  @Test func rowsAreTheOriginals() throws {
    for (name, path) in [("a", model), ("b", files["own.safetensors"])] {
      let outcome = try Subprocess.cosface(
        ["embed", "--model", path, "--data", faces.path, "--output", files["\(name).safetensors"]], ranks: 2)
      #expect(outcome.exitCode == 0, "\(outcome.text)")
    }
    let rows = try ["a", "b"].map { try SafetensorsFile(path: files["\($0).safetensors"]).floats(of: "embeddings") }
    let largest = rows[1].map(abs).max()!
    #expect(zip(rows[0], rows[1]).allSatisfy { abs($0 - $1) <= 1e-5 * largest })
  }

  @Test func trainingGoesOnFromIt() throws {
    let train = ["train", "--data", faces.path, "--steps", "3", "--batch-size", "6", "--weights", model]
    let outcome = try Subprocess.cosface(train + ["--output", files["run"]], ranks: 2)
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    #expect(
      outcome.text.contains("4 new rows of the class weight, from the embeddings of 24 images"), "\(outcome.text)")
    let description = try ModelFile.description(of: SafetensorsFile(path: files["run/model.safetensors"]))
    #expect(description.network == "mobilefacenet" && description.embeddingWidth == 32 && description.inputSide == 48)
    #expect(try RunMetrics.losses(files["run"]).allSatisfy(\.isFinite))

    let other = try Subprocess.cosface(train + ["--output", files["other"], "--network", "spherenet20"])
    expectRefusal(other, "foreign.onnx", "Give --network mobilefacenet --embedding 32 --input-size 48")
    #expect(!FileManager.default.fileExists(atPath: files["other"]))
  }

  @Test func refusalsAreOneMessage() throws {
    var text = ForeignExporter().export(RandomModel.make(.spherenet20))
    text.nodes[5].type = "LeakyRelu"
    let bad = try files.write(text.data, to: "bad.onnx")
    for command in [
      ["embed", "--data", faces.path, "--output", files["rows.npy"], "--model", bad],
      ["train", "--data", faces.path, "--output", files["run"], "--steps", "1", "--weights", bad],
    ] {
      expectRefusal(
        try Subprocess.cosface(command, ranks: 2), "bad.onnx", "Nearest is spherenet20", "(LeakyRelu)")
    }
    let inspected = try Subprocess.cosface(["inspect", bad])
    #expect(inspected.exitCode == 1 && inspected.text.contains("(LeakyRelu)"), "\(inspected.text)")
    expectRefusal(
      try Subprocess.cosface(["compare", face, face, "--model", model, "--embedding", "64"]), "embedding 32",
      "--embedding 64 contradicts")
  }
}
