import Datasets
import Foundation
import TestSupport
import Testing

/// `cosface dataset align` as a person meets it.
@Suite struct DatasetAlignCommandTests {
  private let files: TemporaryFolder
  private let photographs: FaceFolder

  init() throws {
    files = try TemporaryFolder()
    photographs = try FaceFolder(people: 3, images: 2, side: 112)
  }

  private func table(_ names: [String]) throws -> String {
    let points = AlignedSize.square.template.map { "\($0.x),\($0.y)" }.joined(separator: ",")
    let rows = ["path,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5"] + names.map { "\($0),\(points)" }
    return try files.write(Data(rows.joined(separator: "\n").utf8), to: "table.csv")
  }

  private func align(_ arguments: String..., ranks: Int = 1) throws -> Subprocess.Outcome {
    try Subprocess.cosface(["dataset", "align", photographs.path, files["faces"]] + arguments, ranks: ranks)
  }

  private let names = (0..<3).flatMap { person in (0..<2).map { FaceFolder.name(person, $0) } }

  @Test func aFolderThatTrainingTakes() throws {
    let table = try table(names)
    let outcome = try align("--landmarks", table, "--format", "png", "--workers", "2")
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    for words in ["rows       6", "aligned    6", "refused    0", "residual   0.000", "faces/alignment.csv"] {
      #expect(outcome.text.contains(words), "\(outcome.text)")
    }
    let folder = try ImageFolder(root: files["faces"])
    #expect(folder.count == 6 && folder.classNames == ["p00", "p01", "p02"])
    // Faces that lie on the template already stay what they are.
    let pixels = try folder.encodedImage(of: 3).withUnsafeBytes { bytes in
      let decoder = ImageDecoder()
      defer { withExtendedLifetime(decoder) {} }
      let image = try decoder.decode(bytes, name: "3")
      return (0..<(112 * 112)).map { image.pixels[3 * $0] }
    }
    #expect(pixels == Array(FaceFolder.pgm(person: 1, image: 1, side: 112).suffix(112 * 112)))
    let again = try align("--landmarks", table, "--format", "png", "--json")
    let report = try JSONDecoder().decode(AlignmentReport.self, from: Data(again.text.utf8))
    #expect(report.aligned == 6 && report.kept == 6)
  }

  @Test func refusals() throws {
    let broken = try table(names + ["p00/99.pgm"])
    let outcome = try align("--landmarks", broken)
    #expect(outcome.exitCode != 0 && outcome.text.contains("aligned    6"))
    #expect(outcome.text.contains("1 of 7 rows are of no use, where 0 may be"), "\(outcome.text)")
    #expect(outcome.text.contains("p00/99.pgm: there is no such image"))
    #expect(outcome.lines.count { $0.hasPrefix("Error: ") } == 1)
    // The same table, and patience: what is there is kept.
    #expect(try align("--landmarks", broken, "--max-bad-images", "0.2").exitCode == 0)

    expectRefusal(
      try align("--landmarks", broken, "--max-residual", "0"), "'--max-residual", "a number above 0, up to 1000")
    expectRefusal(try align(), "either --landmarks or --boxes")
    expectRefusal(try align("--landmarks", files["absent.csv"]), "absent.csv", "No such file")
    expectRefusal(try align("--boxes", broken), "table.csv", "no format of boxes", "Known are")
    expectRefusal(try align("--landmarks", broken, "--size", "100x100"), "112x112")
    expectRefusal(try align("--landmarks", broken, "--quality", "0"), "'--quality", "a whole number from 1 to 100")
    expectRefusal(try align("--landmarks", broken, "--margin", "9"), "'--margin", "a number from 0.5 to 4")
    expectRefusal(try align("--landmarks", broken, ranks: 2), "one process")
    let none = try Subprocess.cosface([
      "dataset", "align", photographs.path, files["none"], "--landmarks", table(["p00/00.pgm"]), "--min-face", "200",
    ])
    expectRefusal(none, "not one of its 1 rows gave a face")
  }

  private func expectRefusal(
    _ outcome: Subprocess.Outcome, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(outcome.exitCode != 0, sourceLocation: sourceLocation)
    for word in words { #expect(outcome.text.contains(word), "\(outcome.text)", sourceLocation: sourceLocation) }
    #expect(outcome.lines.count { $0.hasPrefix("Error: ") } == 1, "\(outcome.text)", sourceLocation: sourceLocation)
  }
}
