import Datasets
import Foundation
import TestSupport
import Testing

/// Lists as other programs and editors leave them, as a person gives them to the commands.
@Suite(.serialized) struct ListsCommandTests {
  private let faces: FaceFolder
  private let files: TemporaryFolder
  /// To String one text, to a disk two names.
  private let composed = "Zo\u{EB}"
  private let apart = "Zoe\u{308}"

  init() throws {
    faces = try FaceFolder(people: 0, images: 0)
    files = try TemporaryFolder()
    try RandomModel.write(.mobilefacenet, to: files["model.safetensors"])
    for (person, name) in [composed, apart, "Ann", "Bo"].enumerated() {
      for image in 1...2 {
        let picture = FaceFolder.pgm(person: person, image: image, side: 48)
        try faces.write(picture, to: "\(name)/\(name)_000\(image).pgm")
      }
    }
  }

  private func evaluate(_ pairs: String, _ text: String) throws -> (outcome: Subprocess.Outcome, cosines: [Double]) {
    let list = try files.write(Data(text.utf8), to: pairs)
    let outcome = try Subprocess.cosface([
      "evaluate", "--model", files.path, "--data", faces.path, "--pairs", list, "--output", files["scores.csv"],
    ])
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    let scores = try String(contentsOfFile: files["scores.csv"], encoding: .utf8).split(separator: "\n").dropFirst()
    return (outcome, scores.map { Double($0.split(separator: ",").last!)! })
  }

  @Test func pairsOfNamesThatLookAlike() throws {
    let (outcome, cosines) = try evaluate(
      "pairs.txt",
      "\u{FEFF}left,right,same\r\n\(composed)/\(composed)_0001.pgm,\(apart)/\(apart)_0001.pgm,0\r\n"
        + "\"Ann/Ann_0001.pgm\",\"Ann/Ann_0001.pgm\",\"1\"")
    // The same pictures under names that nobody takes for each other.
    for person in 0...1 {
      try faces.write(FaceFolder.pgm(person: person, image: 1, side: 48), to: "copies/\(person).pgm")
    }
    let copies = try evaluate("copies.txt", "copies/0.pgm copies/1.pgm 0\ncopies/0.pgm copies/0.pgm 1\n").cosines
    #expect(cosines.count == 2 && cosines[0] == copies[0] && copies[0] < copies[1], "\(cosines) \(copies)")
    #expect(outcome.text.contains("Note: \(files["pairs.txt"]), line 1: 'left,right,same' was taken for titles"))
    let (lfw, named) = try evaluate(
      "lfw.csv", "name,imagenum1,imagenum2,\nAnn,1,2,\n\(composed),1,2,\n\(apart),1,\(composed),1\nAnn,2,Bo,2\n")
    #expect(named.count == 4 && abs(named[2] - cosines[0]) < 1e-5)
    #expect(lfw.text.contains("the header line is missing (LFW's is '10 300'"), "\(lfw.text)")
  }

  @Test func imagesOfAMarkedList() throws {
    let text =
      "\u{FEFF}filename\r\nAnn/Ann_0002.pgm\r\n\r\n\"\(composed)/\(composed)_0001.pgm\"\r\n\(apart)/\(apart)_0001.pgm"
    try faces.write(Data(text.utf8), to: "list.csv")
    let outcome = try Subprocess.cosface([
      "embed", "--model", files.path, "--data", faces.path + "/list.csv", "--output", files["out.csv"],
    ])
    #expect(outcome.exitCode == 0 && outcome.text.contains(": 3 rows"), "\(outcome.text)")
    #expect(outcome.text.contains("line 1: 'filename' was taken for titles"))
  }

  @Test func trainingByAMarkedConfigurationAndList() throws {
    let list =
      ["identity,filename"]
      + [composed, apart, "Ann", "Bo"].flatMap { name in
        (1...2).map { "\"\(name)\",\"\(name)/\(name)_000\($0).pgm\"" }
      }
    try faces.write(Data(("\u{FEFF}" + list.joined(separator: "\r\n")).utf8), to: "train.csv")
    let options = [
      "data: \(faces.path)/train.csv", "network: mobilefacenet", "embedding: 32", "input-size: 48", "batch-size: 4",
      "steps: 1", "output: \(files["run"])",
    ]
    let yaml = try files.write(Data(("\u{FEFF}" + options.joined(separator: "\r\n")).utf8), to: "run.yaml")
    let outcome = try Subprocess.cosface(["train", "--config", yaml], ranks: 2)
    #expect(outcome.exitCode == 0 && outcome.text.contains("8 images of 4 people"), "\(outcome.text)")
    #expect(outcome.lines.count { $0.contains("line 1: 'identity,filename' was taken for titles") } == 1)
  }

  @Test func alignmentWritesBothNames() throws {
    let points = AlignedSize.square.template.map { "\($0.x / 2),\($0.y / 2)" }.joined(separator: ",")
    let names = [composed, apart].map { "\($0)/\($0)_0001.pgm" }
    let table = try files.write(Data(names.map { "\($0),\(points)\r\n" }.joined().utf8), to: "table.csv")
    let people = try files.write(
      Data("image,person\r\n\(names[0]),\(composed)\r\n\(names[1]),\(apart)".utf8), to: "who.csv")
    for more in [[], ["--people", people]] {
      let output = files["faces\(more.count)"]
      let outcome = try Subprocess.cosface(
        ["dataset", "align", faces.path, output, "--landmarks", table, "--min-face", "8"] + more)
      #expect(outcome.exitCode == 0 && outcome.text.contains("aligned    2"), "\(outcome.text)")
      let folder = try ImageFolder(root: output)
      #expect(folder.count == 2)
      #expect(
        (0..<2).map { Array(folder.identifier(of: $0).utf8) }
          == names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map {
            Array($0.replacingOccurrences(of: ".pgm", with: ".jpg").utf8)
          })
    }
  }
}
