import NeuralNetwork
import Evaluation
import Files
import Foundation
import Inference
import Reports
import TestSupport
import Testing
import Weights

/// No option is taken and ignored, and no message advises one that there is not.
@Suite(.serialized) struct OptionEffectTests {
  private let faces: FaceFolder
  private let files: TemporaryFolder

  init() throws {
    faces = try FaceFolder(people: 3, images: 3)
    files = try TemporaryFolder()
    try RandomModel.write(.spherenet20, to: files["model.safetensors"], seed: 4)
  }

  /// Where an option has no effect beside another one, they are not taken together.
  @Test(arguments: [
    ("evaluate --model m --probes p --distractors d --keep-threshold", "--keep-threshold is of no use with --probes"),
    ("evaluate --model m --probes p --distractors d --max-pairs 9", "--max-pairs is of no use with --probes"),
    ("evaluate --model m --probes p --distractors d --seed 9", "--seed is of no use with --probes"),
    ("evaluate --model m --probes p --distractors d --roc r", "--roc is of no use with --probes"),
    ("evaluate --model m --probes p --distractors d --raw-pixels", "--raw-pixels is of no use with --probes"),
    ("evaluate --model m --probes p --distractors d --pooling norm --templates t", "--templates is of no use with"),
    ("evaluate --model m --data d --pooling norm", "--pooling goes with --templates"),
    ("evaluate --model m --data d --pairs p --detector-scores s", "--detector-scores goes with --templates"),
    ("evaluate --model m --data d --gallery-templates g", "--gallery-templates goes with --templates"),
    ("evaluate --model m --data d --templates t --probe-templates g", "belong together"),
    (
      "evaluate --model m --data d --templates t --gallery-templates g --probe-templates p --pairs l",
      "--pairs is of no use"
    ),
    (
      "evaluate --model m --data d --templates t --gallery-templates g --probe-templates p --roc l",
      "--roc is of no use"
    ),
    ("evaluate --model m --data d --threshold-at 1e-3", "--threshold-at goes with --keep-threshold"),
    ("evaluate --model m --probes p --distractors d --open-set", "--open-set needs a gallery"),
    ("evaluate --model m --embeddings e --probes p --distractors d", "not both"),
    ("evaluate --probes p --distractors d", "Give --model, or --embeddings"),
    ("evaluate --embeddings e f --probes p --distractors d --flip none", "--flip is of no use with --embeddings"),
    ("evaluate --embeddings e --probes p --distractors d --network iresnet18", "--network is of no use with"),
    ("evaluate --embeddings e --probes p --distractors d --batch-size 3", "--batch-size is of no use with"),
    ("evaluate --embeddings e --probes p --distractors d --workers 3", "--workers is of no use with --embeddings"),
    ("evaluate --embeddings e --probes p --distractors d --max-bad-images 1", "--max-bad-images is of no use with"),
    ("evaluate --embeddings e --data d --raw-pixels", "--raw-pixels is of no use with --embeddings"),
    ("evaluate --embeddings e --data d --keep-threshold", "--keep-threshold is of no use with --embeddings"),
    ("evaluate --model m --data d --pairs p --max-pairs 9", "--max-pairs is of no use with a list of pairs"),
    ("evaluate --model m --data d --pairs p --seed 9", "--seed is of no use with a list of pairs"),
    ("evaluate --model m --data d.bin --seed 9", "--seed is of no use with a list of pairs"),
    ("export --model m --output o --format safetensors --normalize", "go with --format onnx"),
    ("report r --no-evaluation --pictures 3", "--pictures and --no-evaluation exclude"),
    ("report r --no-evaluation --workers 3", "--workers and --no-evaluation exclude"),
    ("report r --no-evaluation --max-bad-images 0", "--max-bad-images and --no-evaluation exclude"),
    ("report r --no-evaluation --confused-people 3", "--confused-people and --no-evaluation exclude"),
    ("report r --no-evaluation --raw-pixels", "--raw-pixels and --no-evaluation exclude"),
    ("report r --confused-people 1", "two are needed"),
    ("report r --data d --pairs p --confused-people 3", "--confused-people is of no use with a list of pairs"),
    ("report r --data d.bin --confused-people 3", "--confused-people is of no use with a list of pairs"),
    ("report r --pairs p", "--pairs needs the images"),
    ("plan --compute c --steps 3", "--steps is of no use with --compute"),
    ("plan --link l --latency 3", "not both"),
    ("bench infer --network iresnet18 --dropout 0.4", "--dropout is of no use here"),
    ("bench step --dropout 0.4", "has no dropout"),
    ("bench step --classifier sharded --classes 500 --sample-rate 0.1", "insist with --force-sample-rate"),
    ("bench step --classes 500 --sample-rate 0.1 --force-sample-rate", "with --classifier sharded only"),
    ("bench step --force-sample-rate", "goes with --sample-rate"),
    ("dataset align i o --landmarks l --margin 1.5", "--margin goes with --boxes"),
    ("dataset align i o --boxes b --max-residual 9", "--max-residual goes with --landmarks"),
    ("dataset align i o --boxes b --format png --quality 9", "--quality goes with --format jpeg"),
    ("dataset clean --data d --output o --model m --embeddings e", "not both"),
    ("dataset clean --data d --output o --embeddings e --flip none", "--flip is of no use with --embeddings"),
    (
      "dataset clean --data d --output o --embeddings e --network iresnet18", "--network is of no use with --embeddings"
    ),
    ("dataset clean --data d --output o --embeddings e --validation v", "belong together"),
    ("dataset clean --data d --output o --model m --validation-embeddings v", "goes with --embeddings"),
    ("dataset clean --data d --output o --model m --pictures 3", "--pictures goes with --sheet"),
    ("dataset clean --data d --output o --model m --label-score 1 --false-labels 0.1", "exclude each other"),
    ("dataset clean --data d --output o --model m --person-score 1 --false-people 0.1", "exclude each other"),
    ("dataset apply --table t --data d --output o.csv --workers 2", "--workers goes with"),
    ("inspect p --json --tensors", "leave out --tensors"),
    ("train --data d --output o --validate-every 3", "--best-by and --patience need people to validate on"),
    ("train --data d --output o --patience 3", "--patience need people to validate on"),
    ("train --data d --output o --validation a/lfw.bin b --best-by cfp", "called lfw, b"),
    ("train --data d --output o --validation a a", "names a set twice"),
    ("train --data d --output o --no-tensorboard --histogram-every 3", "--histogram-every goes with --tensorboard"),
    ("train --data d --output o --trace-steps 3..4", "--trace-steps goes with --trace"),
    ("train --data d --output o --milestones 3", "belong together"),
    ("train --data d --output o --momentum 0 --nesterov", "--nesterov needs"),
    ("train --data d --output o --new-rows random", "go with --weights"),
    ("train --data d --output o --validation-images v", "--validation-images needs"),
    ("train --data d --output o --accept-changes", "--accept-changes goes with --resume"),
    ("train --data d --output o --join-people", "--join-people needs several sets"),
    ("train --data d --output o --max-per-person=3", "--max-per-person is now --max-images-per-person"),
    ("identify a --gallery g --model m --probes p", "Give photographs, or a set of them: --probes; not both"),
    ("identify --gallery g --model m", "Give photographs, or a set of them: --probes; not both"),
    ("compare a b --model m --no-flip", "--no-flip is now --flip none"),
    ("dataset pack d o.rec --threads 3", "--threads is now --workers"),
  ])
  func withoutEffect(command: String, message: String) throws {
    expectRefusal(try Subprocess.cosface(command.split(separator: " ").map(String.init)), message)
  }

  /// Weights that do not say of which network they are: every command finds it, and refuses another.
  @Test func weightsOfOtherProgramsTellTheirNetwork() throws {
    let (model, foreign) = (files["model.safetensors"], files["foreign.safetensors"])
    let (_, file, network) = try ModelFile.open(model)
    // As PyTorch's programs write it.
    var writer = SafetensorsWriter(metadata: ["format": "pt"])
    for parameter in network.parameters.parameters + network.statistics.parameters {
      writer.add(parameter.name, shape: parameter.shape, UnsafeBufferPointer(parameter.value))
    }
    try writer.write(to: foreign)
    let face = "\(faces.path)/\(FaceFolder.name(0, 0))"
    let commands = [
      ["embed", "--data", faces.path, "--output", files["rows.npy"]], ["compare", face, face],
      ["identify", face, "--gallery", faces.path], ["export", "--output", files["out.onnx"]],
      ["evaluate", "--data", faces.path], ["evaluate", "--probes", faces.path, "--distractors", faces.path],
    ]
    for command in commands {
      let found = try Subprocess.cosface(command + ["--model", foreign])
      #expect(found.exitCode == 0, "\(command): \(found.text)")
      for path in [model, foreign] {
        let wrong = try Subprocess.cosface(
          command + ["--model", path, "--network", "spherenet20", "--embedding", "\(file.embeddingWidth + 16)"])
        expectRefusal(wrong, path, "is of spherenet20, embedding \(file.embeddingWidth)", "leave that out")
      }
    }
  }

  /// `identify` doubts by the same threshold as `compare`: its own option's, else the run's.
  @Test func identifyTakesTheRunsThreshold() throws {
    let model = files["model.safetensors"]
    func identify(_ more: String...) throws -> GallerySearch {
      let outcome = try Subprocess.cosface(
        ["identify", "\(faces.path)/\(FaceFolder.name(1, 0))", "--gallery", faces.path, "--model", model, "--json"]
          + more)
      #expect(outcome.exitCode == 0, "\(outcome.text)")
      return try JSONDecoder().decode(GallerySearch.self, from: Data(outcome.text.utf8))
    }
    #expect(try identify().threshold == nil)
    let evaluation = try Subprocess.cosface(
      ["evaluate", "--model", model, "--data", faces.path, "--keep-threshold", "--json"])
    let report = try JSONDecoder().decode(EvaluationReport.self, from: Data(evaluation.text.utf8))
    let found = try identify()
    #expect(found.threshold == report.verification.best.threshold)
    #expect(found.thresholdSource.contains("pairs of \(faces.path)"))
    #expect(try identify("--threshold", "0.5").threshold == 0.5)
    // Embeddings of another kind have other cosines.
    #expect(try identify("--flip", "none").threshold == nil)
  }

  /// Options that the texts of the sources speak of, but for other programs' own.
  @Test func everyOptionThatAMessageNamesExists() throws {
    var known = Set(try CommandLineOption.all().map(\.name)).union(["help", "version"])
    let script = Self.checkout.appendingPathComponent("scripts/launch.sh").path
    known.formUnion(
      try Subprocess.run([script, "--help"]).text.matches(of: /--([a-z][a-z0-9-]+)/).map { String($0.1) })
    // tensorboard's, update-alternatives', check_onnx.py's, mpirun's and srun's.
    known.formUnion(["logdir", "config", "images", "mca", "mpi"])
    var named = 0
    for source in try Self.sources() {
      let text = try String(contentsOf: source, encoding: .utf8)
      for line in text.split(separator: "\n") where line.contains("\"") || line.contains("--") {
        let words = line.prefix { $0 != "/" || !line.contains("//") }
        for match in words.matches(of: /[ "'`(]--([a-z][a-z0-9-]+)/) {
          let name = String(match.1)
          named += 1
          #expect(known.contains(name), "\(source.lastPathComponent): --\(name)")
        }
      }
    }
    #expect(named > 100)
  }

  private static let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../..").standardizedFileURL

  private static func sources() throws -> [URL] {
    let all = FileManager.default.enumerator(
      at: checkout.appendingPathComponent("Sources"), includingPropertiesForKeys: nil)
    return (all?.allObjects as? [URL] ?? []).filter {
      $0.pathExtension == "swift" && $0.lastPathComponent != "ReportTemplate.swift"
        && !$0.lastPathComponent.hasSuffix(".pb.swift")
    }
  }
}
