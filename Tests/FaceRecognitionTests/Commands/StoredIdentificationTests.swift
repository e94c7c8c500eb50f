import Datasets
import Evaluation
import Files
import Foundation
import NeuralNetwork
import TestSupport
import Testing
import Weights

/// `cosface evaluate --probes --embeddings`: a search by the rows that `cosface embed` wrote.
@Suite(.serialized) struct StoredIdentificationTests {
  /// Folders `probes`, `gallery` and `others` of people.
  private let faces: FaceFolder
  private let files: TemporaryFolder
  private var model: String { files["model.safetensors"] }

  init() throws {
    faces = try FaceFolder(people: 0, images: 0)
    files = try TemporaryFolder()
    for (person, image) in (0..<12).map({ ($0 / 3, $0 % 3) }) {
      try faces.write(FaceFolder.pgm(person: person, image: image, side: 48), to: "probes/p\(person)/\(image).pgm")
    }
    for (person, image) in [(0, 5), (0, 6), (1, 5), (1, 6)] {
      try faces.write(FaceFolder.pgm(person: person, image: image, side: 48), to: "gallery/p\(person)/\(image).pgm")
    }
    for person in 0..<9 {
      try faces.write(FaceFolder.pgm(person: person + 4, image: 0, side: 48), to: "others/o\(person)/0.pgm")
    }
    try RandomModel.write(.spherenet20, to: files["model.safetensors"], seed: 4)
  }

  private func path(_ set: String) -> String { "\(faces.path)/\(set)" }

  /// Whom it searches for and among whom: of the four people two are in the gallery.
  private var sets: [String] {
    ["--probes", path("probes"), "--gallery", path("gallery"), "--distractors", path("others"), "--open-set"]
  }

  private func embed(_ data: String, to name: String, _ more: String...) throws -> String {
    let outcome = try Subprocess.cosface(
      ["embed", "--model", model, "--data", data, "--output", files[name]] + more)
    try #require(outcome.exitCode == 0, "\(outcome.text)")
    return files[name]
  }

  /// The JSON object and the list of searches.
  private func evaluate(_ arguments: [String], ranks: Int = 1) throws -> (json: String, csv: String, text: String) {
    let csv = files["searches.csv"]
    let outcome = try Subprocess.cosface(["evaluate", "--json", "--output", csv] + arguments, ranks: ranks)
    try #require(outcome.exitCode == 0, "\(outcome.text)")
    let json = outcome.lines.drop { $0 != "{" }.joined(separator: "\n")
    return (json, try String(contentsOfFile: csv, encoding: .utf8), outcome.text)
  }

  private func report(_ json: String) throws -> IdentificationReport {
    try JSONDecoder().decode(IdentificationReport.self, from: Data(json.utf8))
  }

  /// One file of all sets, found by the ends of paths, and one for each set, found by names: the same as the network, search by
  /// search, on any number of ranks.
  @Test(arguments: ["sum", "concatenate"]) func sameAsTheNetwork(flip: String) throws {
    let network = try evaluate(["--model", model, "--flip", flip] + sets)
    let expected = try report(network.json)
    let whole = try embed(faces.path, to: "whole.safetensors", "--flip", flip)
    let each =
      flip == "sum" ? try ["probes", "gallery", "others"].map { try embed(path($0), to: "\($0).safetensors") } : []
    for (paths, ranks) in [([whole], 1), ([whole], 3), (each, 3)] where !paths.isEmpty {
      let stored = try evaluate(["--embeddings"] + paths + sets, ranks: ranks)
      let found = try report(stored.json)
      #expect(stored.csv == network.csv, "\(paths) on \(ranks) ranks")
      #expect(found.rates == expected.rates && found.mateScores == expected.mateScores)
      #expect(found.openSet == expected.openSet && found.searches == 6 && found.galleryImages == 4)
      #expect(found.largestGallery == expected.largestGallery && found.flip == expected.flip)
      #expect(found.model == nil && found.embeddings == paths && found.embeddingWidth == expected.embeddingWidth)
      #expect(flip == "sum" || found.embeddingNorms == expected.embeddingNorms)
      #expect(stored.text.contains("rows found by the last 3 parts of the images' paths") == (paths == [whole]))
    }
    guard flip == "sum" else { return }
    let table = try Subprocess.cosface(["evaluate", "--embeddings", whole] + sets)
    #expect(table.text.contains("files        \(whole): embedding 32"), "\(table.text)")
    #expect(table.text.contains("gallery      4 embeddings of 32, 0.0 MB"))
  }

  /// Two images on three ranks, by a network and without; lists of images that are not there.
  @Test func ranksWithoutRows() throws {
    let rows = try embed(faces.path, to: "rows.safetensors")
    let gallery = try files.write(Data("gallery/p0/5.pgm Ann\ngallery/p1/6.pgm Bo\n".utf8), to: "lists/gallery.txt")
    let probes = try files.write(
      Data("probes/p0/0.pgm Ann\nprobes/p1/0.pgm Bo\nprobes/p1/1.pgm Bo\n".utf8), to: "lists/probes.txt")
    let searched = ["--probes", probes, "--gallery", gallery]
    let stored = try [1, 3].map { try evaluate(["--embeddings", rows] + searched, ranks: $0) }
    #expect(stored[1].json == stored[0].json && stored[1].csv == stored[0].csv)
    let found = try report(stored[0].json)
    #expect(found.searches == 3 && found.galleryImages == 2 && found.people == 2 && found.badImages.isEmpty)
    // The same lists beside the images.
    let here = try ["probes", "gallery"].map { name in
      try faces.write(Data(contentsOf: URL(fileURLWithPath: files["lists/\(name).txt"])), to: "\(name).txt")
      return ["--\(name)", path("\(name).txt")]
    }
    let network = try [1, 3].map { try evaluate(["--model", model] + here.flatMap(\.self), ranks: $0) }
    #expect(network[1].json == network[0].json && network[1].csv == network[0].csv)
    #expect(network[0].csv == stored[0].csv)
  }

  /// On every rank at once.
  @Test func refusals() throws {
    func refuse(_ paths: [String], _ words: String...) throws {
      let outcome = try Subprocess.cosface(["evaluate", "--embeddings"] + paths + sets, ranks: 2)
      #expect(outcome.exitCode == 1 && outcome.lines.count { $0.hasPrefix("Error: ") } == 1, "\(outcome.text)")
      for word in words { #expect(outcome.text.contains(word), "'\(word)' is not in\n\(outcome.text)") }
    }
    let rows = try embed(path("probes"), to: "probes.safetensors")
    try refuse([rows], "4 of the 4 images of \(path("gallery")) have no row of their own here: 'p0/5.pgm'")
    let others = try embed(path("others"), to: "plain.safetensors", "--flip", "none")
    try refuse([rows, others], others, "made with --flip none, those of \(rows) with --flip sum", "the same --flip")
    let lengths = try embed(path("others"), to: "unit.safetensors", "--normalize")
    try refuse([rows, lengths], lengths, "made with --normalize, those of \(rows) without")
    let weights = try written(["x.pgm"], flip: "sum", weights: "other", to: "weights.safetensors")
    try refuse([rows, weights], weights, "made by other weights than those of \(rows)")
    let twice = try written(["p0/0.pgm", "x", "p0/0.pgm"], flip: "sum", weights: "w", to: "twice.safetensors")
    try refuse([twice], "twice.safetensors: 'p0/0.pgm' has two rows that differ", "each once")
    try refuse([files["absent.safetensors"]], "absent.safetensors")
  }

  /// A file as `embed` writes it, of rows that all differ.
  private func written(_ names: [String], flip: String, weights: String, to file: String) throws -> String {
    var writer = SafetensorsWriter(metadata: ["flip": flip, "normalize": "false", "weights": weights])
    writer.add("embeddings", shape: [names.count, 32], (0..<(32 * names.count)).map { Float($0 + 1) })
    let lines = Array(names.map { $0 + "\n" }.joined().utf8)
    writer.add("names", shape: [lines.count], lines)
    try writer.write(to: files[file])
    return files[file]
  }
}
