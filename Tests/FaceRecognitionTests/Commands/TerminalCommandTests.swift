import MPI
import Datasets
import Files
import Foundation
import TestSupport
import Testing

/// Names that would steer a terminal are shown, by every command that repeats them.
@Suite(.serialized) struct TerminalCommandTests {
  /// Sets the window's title, clears the screen by C1, writes backwards, breaks the line.
  private static let name = "a\u{1B}]0;x\u{7}\u{9B}2J\u{202E}\nError: b\r\u{2028}"
  private static let shown = #"a\u{1B}]0;x\u{07}\u{9B}2J\u{202E}\u{0A}Error: b\u{0D}\u{2028}"#
  private let files: TemporaryFolder

  init() throws {
    files = try TemporaryFolder()
    for (person, name) in [Self.name, "bo"].enumerated() {
      for image in 0..<2 {
        try files.write(FaceFolder.pgm(person: person, image: image, side: 16), to: "faces/\(name)/\(image).pgm")
      }
    }
  }

  private func expectHarmless(_ outcome: Subprocess.Outcome, _ what: String) {
    let steering = outcome.text.unicodeScalars.contains { scalar in
      scalar != "\n" && (scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) || scalar == "\u{202E}")
    }
    #expect(!steering && outcome.text.contains(Self.shown), "\(what): \(outcome.text.debugDescription)")
  }

  @Test func everyCommandShowsThem() throws {
    try files.write(Data("no image".utf8), to: "faces/\(Self.name)/3.jpg")
    try files.write(to: "packed/.keep")
    let faces = files["faces"]
    let commands = [
      ["dataset", "check", faces],
      ["dataset", "pack", faces, files["packed/a.rec"]],
      ["dataset", "pack", faces, files["packed/b.rec"], "--skip-unreadable"],
      ["dataset", "info", files[Self.name]],
      ["dataset", "unpack", files[Self.name], files["out"]],
      ["inspect", files[Self.name]],
      ["compare", "--model", files[Self.name], "a.jpg", "b.jpg"],
      ["train", "--data", files[Self.name], "--output", files["run"]],
      ["train", "--data", faces, "--output", files["run"], "--config", files[Self.name]],
      [
        "train", "--data", faces, "--output", files["run"], "--network", "spherenet20", "--embedding", "16",
        "--input-size", "16", "--batch-size", "5", "--steps", "1", "--max-bad-images", "0",
      ],
      ["report", files[Self.name]],
      ["export", "--model", files[Self.name], "--output", files["x.onnx"]],
    ]
    for command in commands { expectHarmless(try Subprocess.cosface(command), "\(command.prefix(2))") }
    let option = try Subprocess.cosface(["evaluate", "--model", "x", "--data", "x", "--\u{1B}[31m"])
    #expect(option.exitCode == 64 && option.text.contains(#"Unknown option '--\u{1B}[31m'"#), "\(option.text)")
    expectHarmless(
      try Subprocess.cosface(["train", "--data", files[Self.name], "--output", files["run"]], ranks: 2), "two ranks")
  }

  /// What programs read says the very name.
  @Test func jsonIsExact() throws {
    let outcome = try Subprocess.cosface(["dataset", "check", files["faces"], "--json"])
    #expect(!outcome.text.unicodeScalars.contains { (0x7F..<0xA0).contains($0.value) || $0 == "\u{202E}" })
    let check = try JSONDecoder().decode(DatasetCheck.self, from: Data(outcome.text.utf8))
    #expect(check.unreadable.isEmpty && check.info.people == 2)
    let one = try files.write(FaceFolder.pgm(person: 3, image: 0, side: 16), to: "more/\(Self.name)/0.pgm")
    try files.write(FaceFolder.pgm(person: 4, image: 0, side: 16), to: "more/bo/0.pgm")
    let more = try Subprocess.cosface(["dataset", "check", files["more"], "--json"])
    let loners = try JSONDecoder().decode(DatasetCheck.self, from: Data(more.text.utf8)).peopleWithOneImage
    #expect(loners == [Name(Self.name), "bo"] && FileManager.default.fileExists(atPath: one))
  }

  @Test func textsForTerminals() {
    #expect("plain é 日本\n".printable == "plain é 日本\n")
    #expect("a\r\nb\u{85}\u{7F}".printable == "a\\u{0D}\nb\\u{85}\\u{7F}")
    #expect("a\nb\t\u{2067}".printableName == "a\\u{0A}b\\u{09}\\u{2067}")
    #expect("{\"a\": \"\u{9B}\u{2028}\"}\n".printableJSON == "{\"a\": \"\\u009B\\u2028\"}\n")
  }
}
