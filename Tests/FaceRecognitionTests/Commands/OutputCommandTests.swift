import Foundation
import TestSupport
import Testing

/// What a command will write is tried before its work, and what stands there is kept where the work fails.
@Suite(.serialized) struct OutputCommandTests {
  private let faces: FaceFolder
  private let files: TemporaryFolder

  init() throws {
    faces = try FaceFolder(people: 3, images: 3)
    files = try TemporaryFolder()
  }

  /// A command whose inputs are not there, so that only what comes before them is reached.
  struct Case: CustomStringConvertible, Sendable {
    let words: String
    /// The option that names the file to write.
    let option: String
    let ending: String

    init(_ words: String, _ option: String, _ ending: String) {
      (self.words, self.option, self.ending) = (words, option, ending)
    }

    var description: String { words.split(separator: " ")[0] + " --" + option + " x." + ending }

    func arguments(_ output: String) -> [String] {
      words.split(separator: " ").map(String.init) + ["--\(option)", output]
    }
  }

  private static let cases = [
    Case("evaluate --model none --data none", "output", "csv"), Case("evaluate --model none --data none", "roc", "csv"),
    Case("evaluate --model none --probes none --distractors none", "output", "csv"),
    Case(
      "evaluate --model none --data none --templates none --gallery-templates none --probe-templates none", "output",
      "csv"),
    Case("embed --model none --data none", "output", "npy"), Case("embed --model none --data none", "output", "csv"),
    Case("embed --model none --data none", "output", "safetensors"),
    Case("identify --model none --gallery none --probes none", "output", "csv"),
    Case("export --model none", "output", "onnx"),
    Case("export --model none --format safetensors", "output", "safetensors"),
    Case("dataset clean --model none --data none", "output", "csv"),
    Case("dataset clean --model none --data none --output x.csv", "sheet", "html"),
    Case("dataset apply --table none --data none", "output", "csv"),
    Case("replay --network spherenet20 --weights none --batches none", "output", "safetensors"),
  ]

  /// Whoever adds an output adds it here, or to one of the tests below.
  @Test func theseAreAllOutputs() throws {
    let outputs = try CommandLineOption.all().filter {
      ["output", "roc", "trace", "sheet"].contains($0.name) || $0.help.contains(/(File|Folder) to write/)
    }
    let known = Set(
      Self.cases.map { "\($0.words.prefix(upTo: $0.words.firstRange(of: " --")!.lowerBound)) --\($0.option)" })
    #expect(Set(outputs.map(\.description)) == known.union(["report --output", "train --output", "train --trace"]))
  }

  @Test(arguments: cases) func aWrongPathIsToldFirst(test: Case) throws {
    try files.write(to: "taken.\(test.ending)/inside")
    try #require(mkfifo(files["pipe.\(test.ending)"], 0o600) == 0)
    let before = files.names
    for (name, reason) in [
      ("absent/x", "No such file or directory"), ("taken", "Is a directory"), ("pipe", "File exists"),
    ] {
      let outcome = try Subprocess.cosface(test.arguments(files["\(name).\(test.ending)"]))
      expectRefusal(outcome, files["\(name).\(test.ending)"], reason)
    }
    #expect(files.names == before)
    // What stands there stays, where the work fails.
    let former = try files.write(Data("former".utf8), to: "former.\(test.ending)")
    let all = files.names
    let failed = try Subprocess.cosface(test.arguments(former))
    expectRefusal(failed, "none")
    #expect(try String(contentsOfFile: former, encoding: .utf8) == "former" && files.names == all)
    // One message, whatever the number of ranks.
    if test.option == "roc" {
      expectRefusal(try Subprocess.cosface(test.arguments(files["absent/x"]), ranks: 2), "absent/x")
    }
  }

  @Test func twoInOnePlace() throws {
    let names = try files.write(Data("a.jpg\n".utf8), to: "faces.names.txt")
    let pairs = try files.write(Data("a b 1\n".utf8), to: "pairs.csv")
    try FileManager.default.createSymbolicLink(atPath: files["link"], withDestinationPath: files.path)
    expectRefusal(
      try Subprocess.cosface(
        ["evaluate", "--model", "none", "--data", "none", "--output", files["o.csv"], "--roc", files["link/o.csv"]]),
      "link/o.csv: two outputs would be this file")
    expectRefusal(
      try Subprocess.cosface([
        "evaluate", "--model", "none", "--data", "none", "--pairs", pairs, "--roc", files["link/pairs.csv"],
      ]), "it is the input '\(pairs)', which writing would replace")
    // The names beside the rows would replace the list of images.
    expectRefusal(
      try Subprocess.cosface(["embed", "--model", "none", "--data", names, "--output", files["faces.npy"]]),
      "faces.names.txt: it is the input")
    try files.write(to: "x.names.txt/inside")
    expectRefusal(
      try Subprocess.cosface(["embed", "--model", "none", "--data", names, "--output", files["x.npy"]]),
      files["x.names.txt"], "Is a directory")
    #expect(try String(contentsOfFile: names, encoding: .utf8) == "a.jpg\n")
  }

  /// An export whose check fails, or that cannot be written, leaves the one before.
  @Test func exportsReplaceWhole() throws {
    try RandomModel.write(.spherenet20, to: files["model.safetensors"])
    for (format, name) in [("onnx", "out.onnx"), ("safetensors", "out.safetensors")] {
      let command = ["export", "--model", files["model.safetensors"], "--format", format, "--output", files[name]]
      try files.write(Data("former".utf8), to: name)
      let names = files.names
      // No file may grow beyond 100 blocks of 1024 bytes.
      let program = Subprocess.products.appendingPathComponent("cosface").path
      let limited = try Subprocess.run(
        ["bash", "-c", "ulimit -f 100; trap '' XFSZ; exec \"$@\"", "bash", program] + command)
      expectRefusal(limited, "Cannot write '\(files[name])'", "ulimit -f")
      #expect(try String(contentsOfFile: files[name], encoding: .utf8) == "former" && files.names == names)
      let whole = try Subprocess.cosface(command)
      #expect(whole.exitCode == 0 && files.names == names, "\(whole.text)")
      #expect(try Data(contentsOf: URL(fileURLWithPath: files[name])).count > 100_000)
    }
  }

  @Test func thresholds() throws {
    try RandomModel.write(.spherenet20, to: files["model.safetensors"])
    try files.write(to: "threshold.json/inside")
    let outcome = try Subprocess.cosface(["evaluate", "--model", files.path, "--data", faces.path, "--keep-threshold"])
    expectRefusal(outcome, files["threshold.json"], "Is a directory")
    #expect(!outcome.text.contains("AUC"), "\(outcome.text)")
  }

  @Test func runsAndTheirPages() throws {
    func train(_ more: [String]) throws -> Subprocess.Outcome {
      try Subprocess.cosface(
        [
          "train", "--data", faces.path, "--network", "mobilefacenet", "--embedding", "32", "--input-size", "48",
          "--batch-size", "4", "--steps", "2",
        ] + more)
    }
    let taken = try files.write(to: "taken")
    try files.write(to: "folder/inside")
    for (output, trace) in [
      (taken, nil), (taken + "/run", nil), (files["a"], files["absent/trace.json"]), (files["a"], files["folder"]),
    ] {
      let refused = try train(["--output", output] + (trace.map { ["--trace", $0] } ?? []))
      expectRefusal(refused, trace ?? output)
      #expect(!refused.text.contains("step 1/") && refused.exitCode == 1, "\(refused.text)")
    }
    #expect(files.names == ["folder", "taken"])
    // A trace in the run's own folder, which the run makes.
    let trained = try train(["--output", files["run"], "--trace", files["run/trace.json"]])
    #expect(trained.exitCode == 0 && FileManager.default.fileExists(atPath: files["run/trace.json"]), "\(trained.text)")
    for page in [files["absent/page.html"], files["folder"]] {
      expectRefusal(try Subprocess.cosface(["report", files["run"], "--data", faces.path, "--output", page]), page)
    }
  }

  @Test func sets() throws {
    func dataset(_ words: String...) throws -> Subprocess.Outcome { try Subprocess.cosface(["dataset"] + words) }
    for file in ["train.idx", "train.rec.catalog", "property"] {
      let folder = "set-\(file)"
      try files.write(to: "\(folder)/\(file)/inside")
      let refused = try dataset("pack", faces.path, files["\(folder)/train.rec"])
      expectRefusal(refused, files["\(folder)/\(file)"])
      #expect(try FileManager.default.contentsOfDirectory(atPath: files[folder]) == [file])
    }
    expectRefusal(try dataset("pack", faces.path, files["absent/train.rec"]), files["absent"], "no such folder")
    let taken = try files.write(to: "taken")
    let table = try files.write(Data("p00/00.pgm,10,10,30,10,20,20,12,30,28,30\n".utf8), to: "table.csv")
    try files.write(to: "list/alignment.csv/inside")
    expectRefusal(try dataset("align", faces.path, taken, "--landmarks", table), taken)
    expectRefusal(try dataset("align", faces.path, files["list"], "--landmarks", table), files["list"])
    try files.write(to: "set/.keep")
    #expect(try dataset("pack", faces.path, files["set/train.rec"]).exitCode == 0)
    expectRefusal(try dataset("unpack", files["set"], taken), taken)
    expectRefusal(try dataset("unpack", files["set"], files["set"]), "the folder is not empty")
    // Sealed already: told before every image is decoded.
    let sealed = try dataset("check", files["set"], "--seal")
    expectRefusal(sealed, "it has a catalog already")
    #expect(!sealed.text.contains("duplicates"), "\(sealed.text)")
  }
}
