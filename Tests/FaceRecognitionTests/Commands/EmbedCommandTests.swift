import MPI
import Datasets
import Files
import Foundation
import NeuralNetwork
import TestSupport
import Testing

/// `cosface embed` as a person meets it.
@Suite(.serialized) struct EmbedCommandTests {
  private let faces: FaceFolder
  private let files: TemporaryFolder
  private let network: Network

  init() throws {
    faces = try FaceFolder(people: 5, images: 4)
    files = try TemporaryFolder()
    network = try RandomModel.write(.mobilefacenet, to: files["model.safetensors"])
  }

  private func embed(_ output: String, _ more: String..., data: String? = nil, ranks: Int = 1) throws
    -> Subprocess.Outcome
  {
    try Subprocess.cosface(
      ["embed", "--model", files.path, "--data", data ?? faces.path, "--output", files[output], "--batch-size", "4"]
        + more, ranks: ranks)
  }

  private func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: files[name])) }

  private func rows(_ name: String) throws -> [Float] {
    let data = try bytes(name)
    let start = 10 + Int(data[8]) + 256 * Int(data[9])
    #expect(start % 64 == 0 && data.prefix(6) == Data([0x93] + Array("NUMPY".utf8)))
    #expect(String(decoding: data[10..<start], as: UTF8.self).contains("'shape': (20, 32)"))
    return data[start...].withUnsafeBytes { raw in
      (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
  }

  /// By one pass per image, without `Embedder`.
  private func expected(_ sample: Int, mirrored: Bool = false) throws -> [Float] {
    let reader = SampleReader(try ImageList(at: faces.path), side: 48)
    let pass = network.pass(batch: 1, .evaluation)
    var transform = PixelTransform()
    transform.isMirrored = mirrored
    try reader.read(sample, transform, to: pass.input.buffer.baseAddress!)
    pass.forward()
    return Array(pass.output.buffer)
  }

  @Test func rowsOfEveryFormat() throws {
    // Beside the folders of people, and below them: paths are sorted as a whole.
    let deep = try FaceFolder(people: 0, images: 0)
    try deep.write(FaceFolder.pgm(person: 1, image: 1, side: 48), to: "b/c/d.pgm")
    try deep.write(FaceFolder.pgm(person: 1, image: 2, side: 48), to: "b-1.pgm")
    try deep.write(Data("no image".utf8), to: "notes.txt")
    #expect(try embed("deep.npy", data: deep.path).exitCode == 0)
    #expect(try String(contentsOfFile: files["deep.names.txt"], encoding: .utf8) == "b-1.pgm\nb/c/d.pgm\n")

    #expect(try embed("plain.npy", "--flip", "none").exitCode == 0)
    let names = try String(contentsOfFile: files["plain.names.txt"], encoding: .utf8).split(separator: "\n")
    #expect(names.first == "p00/00.pgm" && names == names.sorted() && names.count == 20)
    let plain = try rows("plain.npy")
    for sample in [0, 7, 19] {
      let row = Array(plain[(32 * sample)..<(32 * sample + 32)])
      let difference = zip(row, try expected(sample)).map { abs($0 - $1) }.max()!
      #expect(difference <= 1e-4 * row.map(abs).max()!)
    }

    #expect(try embed("flip.npy", ranks: 2).exitCode == 0)
    let flip = try rows("flip.npy")
    let sum = zip(try expected(7), try expected(7, mirrored: true)).map { $0 + $1 }
    #expect(zip(flip[(32 * 7)..<(32 * 8)], sum).allSatisfy { abs($0 - $1) <= 1e-4 * sum.map(abs).max()! })

    #expect(try embed("both.safetensors", "--flip", "concatenate").exitCode == 0)
    let both = try SafetensorsFile(path: files["both.safetensors"])
    #expect(try both.shape(of: "embeddings") == [20, 64])
    #expect(both.metadata == ["flip": "concatenate", "normalize": "false", "weights": network.weightsDigest])
    let halves = try both.floats(of: "embeddings")[(64 * 7)..<(64 * 8)]
    #expect(Array(halves.prefix(32)) == Array(plain[(32 * 7)..<(32 * 8)]))
    #expect(zip(halves.prefix(32), halves.suffix(32)).map { $0 + $1 } == Array(flip[(32 * 7)..<(32 * 8)]))

    #expect(try embed("unit.safetensors", "--normalize").exitCode == 0)
    let file = try SafetensorsFile(path: files["unit.safetensors"])
    let unit = try file.floats(of: "embeddings")
    #expect(try file.shape(of: "embeddings") == [20, 32])
    #expect(file.metadata == ["flip": "sum", "normalize": "true", "weights": network.weightsDigest])
    #expect(abs(unit[32..<64].reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
    let text = try file.withBytes(of: "names") { String(decoding: $0, as: UTF8.self) }
    #expect(text == names.map { $0 + "\n" }.joined())

    #expect(try embed("rows.csv", "--flip", "none").exitCode == 0)
    let lines = try String(contentsOfFile: files["rows.csv"], encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 21 && lines[0].hasPrefix("name,e0,e1,") && lines[8].hasPrefix("p01/03.pgm,"))
    #expect(lines[8].split(separator: ",").dropFirst().compactMap { Float($0) } == Array(plain[(32 * 7)..<(32 * 8)]))
  }

  /// The second run could not read the first part's images: it takes the rows from where the first run left them.
  @Test func goesOnAfterAnInterruption() throws {
    #expect(try embed("whole.npy").exitCode == 0)
    let first = (0, 1, try Data(contentsOf: URL(fileURLWithPath: "\(faces.path)/p00/01.pgm")))
    let last = (4, 3, try Data(contentsOf: URL(fileURLWithPath: "\(faces.path)/p04/03.pgm")))
    func spoil(_ image: (Int, Int, Data)) throws {
      try faces.write(Data(repeating: 7, count: image.2.count), to: FaceFolder.name(image.0, image.1))
    }
    try spoil(last)
    let failed = try embed("rows.npy", "--part-size", "8", ranks: 2)
    #expect(failed.exitCode != 0 && failed.text.contains("p04/03.pgm"), "\(failed.text)")
    #expect(!FileManager.default.fileExists(atPath: files["rows.npy"]))
    try faces.write(last.2, to: FaceFolder.name(last.0, last.1))
    try spoil(first)
    // Another number of ranks; the parts belong to the job all the same.
    let second = try embed("rows.npy", "--part-size", "8", ranks: 3)
    #expect(second.exitCode == 0, "\(second.text)")
    #expect(try bytes("rows.npy") == bytes("whole.npy"))
    #expect(!FileManager.default.fileExists(atPath: files["rows.npy.parts"]))
    // Other options are another job, which must read the spoilt image.
    #expect(try embed("rows.npy", "--part-size", "8", "--flip", "none").exitCode != 0)
  }

  @Test func listsAndBadImages() throws {
    let list = try files.write(
      Data("# two\n\(faces.path)/p03/00.pgm\n\n\(faces.path)/p01/02.pgm\n".utf8), to: "list.txt")
    let outcome = try embed("list.csv", data: list)
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    let lines = try String(contentsOfFile: files["list.csv"], encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 3 && lines[1].contains("p01/02.pgm") && lines[2].contains("p03/00.pgm"))

    try faces.write(Data("P5\n48 48\n255\n".utf8), to: "p02/02.pgm")
    let partly = try embed("partly.csv", "--max-bad-images", "0.1")
    #expect(partly.exitCode == 0 && partly.text.contains("skipped   p02/02.pgm"), "\(partly.text)")
    #expect(partly.text.contains("19 rows"))
    #expect(try !String(contentsOfFile: files["partly.csv"], encoding: .utf8).contains("p02/02.pgm"))
  }

  @Test func recordFiles() throws {
    try files.write(to: "set/.keep")
    let record = files["set/train.rec"]
    _ = try RecordPacker(ImageSet.open(faces.path), output: record, reencoding: .init()).run()
    #expect(try embed("folder.npy").exitCode == 0)
    for (name, data) in [("rec.npy", record), ("set.npy", files["set"])] {
      let outcome = try embed(name, data: data, ranks: 2)
      #expect(outcome.exitCode == 0, "\(outcome.text)")
      #expect(try bytes(name) == bytes("folder.npy"))
    }
    #expect(try bytes("rec.names.txt") == bytes("folder.names.txt"))
    try FileManager.default.removeItem(atPath: record + ".catalog")
    #expect(try embed("bare.npy", data: record).exitCode == 0)
    #expect(try bytes("bare.npy") == bytes("folder.npy"))
    #expect(try String(contentsOfFile: files["bare.names.txt"], encoding: .utf8).hasPrefix("record 1\nrecord 2\n"))
    let bin = try files.write(to: "pairs.bin")
    expectRefusal(try embed("rows.npy", data: bin), "pairs.bin: an image of a .bin has no name", "dataset unpack")
    let long = try files.write(Data(repeating: 0x61, count: 5_000_000), to: "long.txt")
    let outcome = try embed("rows.npy", data: long)
    expectRefusal(outcome, "long.txt, line 1: a field of 5000000 bytes, where 4095 may be")
    #expect(outcome.text.utf8.count < 1000)
  }

  @Test(arguments: [1, 2]) func refusals(ranks: Int) throws {
    expectRefusal(try embed("rows.txt", ranks: ranks), "rows.txt", ".npy, .safetensors, .csv")
    expectRefusal(try embed("rows.npy", data: files["nowhere"], ranks: ranks), "nowhere", "no such folder or list")
    let empty = files["empty"]
    try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: true)
    expectRefusal(try embed("rows.npy", data: empty, ranks: ranks), "empty", "no image")
    let twice = try files.write(Data("a.jpg\na.jpg\n".utf8), to: "twice.txt")
    expectRefusal(try embed("rows.npy", data: twice, ranks: ranks), "names", "a.jpg twice")
    expectRefusal(try embed("no/such/rows.npy", ranks: ranks), "no/such")
  }
}
