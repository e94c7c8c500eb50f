import Datasets
import Evaluation
import Foundation
import NeuralNetwork
import TestSupport
import Testing
import Weights

/// `cosface evaluate --probes` as a person meets it.
@Suite(.serialized) struct IdentifyCommandTests {
  private let probes: FaceFolder
  private let others: FaceFolder
  private let files: TemporaryFolder
  private let model: String

  init() throws {
    probes = try FaceFolder(people: 4, images: 3)
    others = try FaceFolder(people: 0, images: 0)
    for person in 0..<9 {
      for image in 0..<3 {
        try others.write(FaceFolder.pgm(person: person + 4, image: image, side: 48), to: "other\(person)/\(image).pgm")
      }
    }
    files = try TemporaryFolder()
    model = files["model.safetensors"]
    let network = NetworkKind.spherenet20.makeNetwork(embeddingWidth: 32, inputSide: 48)
    network.initialize(seed: 4)
    let description = ModelDescription(
      network: .spherenet20, embeddingWidth: 32, inputSide: 48, classNames: ["p01"], step: 7)
    try ModelFile.write(network, classWeight: nil, description, to: model)
  }

  private func identify(_ arguments: String..., probes: String? = nil, ranks: Int = 1) throws -> Subprocess.Outcome {
    try Subprocess.cosface(
      ["evaluate", "--model", model, "--probes", probes ?? self.probes.path] + arguments, ranks: ranks)
  }

  private func report(_ outcome: Subprocess.Outcome) throws -> IdentificationReport {
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    return try JSONDecoder().decode(IdentificationReport.self, from: Data(Self.json(outcome).utf8))
  }

  /// Without what is told before the work: that depends on the ranks.
  private static func json(_ outcome: Subprocess.Outcome) -> String {
    outcome.lines.drop { $0 != "{" }.joined(separator: "\n")
  }

  /// All cosines of the probes and the distractors, by a verification over a list of their pairs.
  private func cosines() throws -> [String: Double] {
    let joined = try FaceFolder(people: 0, images: 0)
    var names: [String] = []
    for (folder, prefix) in [(probes.path, ""), (others.path, "")] {
      let source = try ImageFolder(root: folder)
      for sample in 0..<source.count {
        names.append(prefix + source.identifier(of: sample))
        try joined.write(Data(source.encodedImage(of: sample)), to: names.last!)
      }
    }
    let pairs = names.filter { $0.hasPrefix("p") }.flatMap { a in
      names.filter { $0 != a }.map { "\(a) \($0) \(a.prefix(3) == $0.prefix(3) ? 1 : 0)" }
    }
    let list = try files.write(Data(pairs.joined(separator: "\n").utf8), to: "all.txt")
    let outcome = try Subprocess.cosface([
      "evaluate", "--model", model, "--data", joined.path, "--pairs", list, "--output", files["all.csv"],
    ])
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    var result: [String: Double] = [:]
    for line in try String(contentsOfFile: files["all.csv"], encoding: .utf8).split(separator: "\n").dropFirst() {
      let fields = line.split(separator: ",")
      result["\(fields[0]) \(fields[1])"] = Double(fields[4])!
    }
    return result
  }

  /// MegaFace's protocol, its ranks counted from the cosines of a verification; the same bytes on 1, 2 and 3 ranks.
  @Test func amongDistractors() throws {
    let outcomes = try (1...3).map { ranks in
      try identify("--distractors", others.path, "--json", "--output", files["ranks\(ranks).csv"], ranks: ranks)
    }
    let report = try report(outcomes[0])
    #expect(report.people == 4 && report.probeImages == 12 && report.distractorImages == 27 && report.searches == 24)
    #expect(report.smallestGallery == 28 && report.largestGallery == 28 && report.rates.map(\.rank) == [1, 5, 10, 20])
    #expect(report.flip == .sum && report.embeddingNorms.count == 12 && report.sharedNames == 0)
    let csv = try (1...3).map { try String(contentsOfFile: files["ranks\($0).csv"], encoding: .utf8) }
    for index in 1..<3 { #expect(Self.json(outcomes[index]) == Self.json(outcomes[0]) && csv[index] == csv[0]) }
    #expect(outcomes[2].text.contains("distractors  27 embeddings of 32, 9 a rank: 0.0 MB a rank"))
    #expect(outcomes[2].text.contains("comparisons  324 of two embeddings, about 1 s"))

    let cosines = try cosines()
    let source = try ImageFolder(root: others.path)
    let distractors = (0..<source.count).map(source.identifier)
    let lines = csv[0].split(separator: "\n").dropFirst().map { $0.split(separator: ",").map(String.init) }
    #expect(lines.count == 24)
    var ranks: [Int] = []
    for line in lines {
      #expect(line[0] != line[1] && line[0].prefix(3) == line[1].prefix(3))
      let mate = cosines["\(line[0]) \(line[1])"]!
      // Images stand at another place in their batch here, which changes the last digits of scores.
      let bounds = [1e-6, -1e-6].map { slack in
        1 + distractors.count { cosines["\(line[0]) \($0)"]! > mate + slack }
      }
      let rank = try #require(Int(line[2]))
      #expect(rank >= bounds[0] && rank <= bounds[1] && abs(Double(line[3])! - mate) < 1e-5)
      ranks.append(rank)
    }
    #expect(report.rates[0].found == ranks.count { $0 == 1 } && report.rates[1].found == ranks.count { $0 <= 5 })
    let table = try identify("--distractors", others.path)
    for words in ["Warning: 1 of the 4 people", "searches     24, each among 28 images", "rank 1 ", "rank 5 "] {
      #expect(table.text.contains(words), "\(table.text)")
    }
  }

  @Test func inAGallery() throws {
    let gallery = try FaceFolder(people: 6, images: 2)
    // One probe looks like somebody else.
    try probes.write(FaceFolder.pgm(person: 1, image: 2, side: 48), to: FaceFolder.name(3, 2))
    let report = try report(identify("--gallery", gallery.path, "--json", "--flip", "concatenate"))
    // The gallery holds the probes' own first two images: a picture finds itself.
    #expect(report.searches == 12 && report.largestGallery == 11 && report.smallestGallery == 11)
    #expect(report.rates[0].found >= 8 && report.mateScores.maximum > 0.99999 && report.distractors == nil)
    let more = try self.report(identify("--gallery", gallery.path, "--distractors", others.path, "--json"))
    #expect(more.largestGallery == 38 && more.galleryImages == 12 && more.searches == 12)
    let ranks = try ranks(ofGalleryPeople: 6)
    for (rate, most) in zip(more.rates, [1, 5, 10, 20]) {
      let (least, greatest) = (ranks.count { $0.upperBound <= most }, ranks.count { $0.lowerBound <= most })
      #expect((least...greatest).contains(rate.found), "rank \(most): \(rate.found) of \(least)...\(greatest)")
    }
    // Somebody is lost among the distractors, or the figures above would say nothing.
    #expect(ranks.contains { $0.lowerBound > 1 } && ranks.contains { $0.upperBound == 1 })
  }

  /// Of each probe: the rank of the nearest image of its person among the first two images of so many people and the
  /// distractors, from the cosines of a verification. Its last digits may differ, so it is a range.
  private func ranks(ofGalleryPeople people: Int) throws -> [ClosedRange<Int>] {
    var cosines = try cosines()
    let source = try ImageFolder(root: probes.path)
    // The gallery's people beyond the probes' are the first of the distractors.
    let gallery = (0..<people).flatMap { person in
      (0..<2).map { person < 4 ? FaceFolder.name(person, $0) : "other\(person - 4)/\($0).pgm" }
    }
    let others = try ImageFolder(root: self.others.path)
    let distractors = (0..<others.count).map(others.identifier)
    return (0..<source.count).map(source.identifier).map { probe in
      // A picture finds itself.
      cosines["\(probe) \(probe)"] = 1
      let isMate = { (name: String) in name.prefix(3) == probe.prefix(3) }
      let mate = gallery.filter(isMate).map { cosines["\(probe) \($0)"]! }.max()!
      let rivals = (gallery.filter { !isMate($0) } + distractors).map { cosines["\(probe) \($0)"]! }
      return (1 + rivals.count { $0 > mate + 1e-6 })...(1 + rivals.count { $0 > mate - 1e-6 })
    }
  }

  /// Two of the four people are in the gallery; of the others, the best cosine with anybody.
  @Test func openSet() throws {
    let gallery = try FaceFolder(people: 2, images: 2)
    let arguments = ["--gallery", gallery.path, "--distractors", others.path, "--open-set"]
    let outcomes = try (1...2).map { ranks in
      try Subprocess.cosface(
        ["evaluate", "--model", model, "--probes", probes.path, "--json", "--output", files["open\(ranks).csv"]]
          + arguments, ranks: ranks)
    }
    let report = try report(outcomes[0])
    let csv = try (1...2).map { try String(contentsOfFile: files["open\($0).csv"], encoding: .utf8) }
    #expect(Self.json(outcomes[1]) == Self.json(outcomes[0]) && csv[1] == csv[0])
    let openSet = try #require(report.openSet)
    #expect(report.searches == 6 && openSet.searches == 6 && openSet.people == 2)
    #expect(openSet.rates.map(\.reason?.isEmpty) == [false, false])
    let cosines = try cosines()
    let strangers = csv[0].split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
      .filter { $0[2].isEmpty }
    #expect(strangers.map { $0[0] } == (0..<6).map { FaceFolder.name(2 + $0 / 3, $0 % 3)[...] })
    let names = (0..<4).map { FaceFolder.name($0 / 2, $0 % 2) } + (0..<27).map { "other\($0 / 3)/\($0 % 3).pgm" }
    for row in strangers {
      let best = names.map { cosines["\(row[0]) \($0)"]! }.max()!
      #expect(abs(best - Double(row[3])!) < 1e-5)
    }
    let table = try identify("--gallery", gallery.path, "--open-set")
    #expect(table.text.contains("strangers    6 searches for 2 people not in the gallery"), "\(table.text)")
    expectRefusal(try identify("--gallery", probes.path, "--open-set"), "all of its people are in the gallery")
    expectRefusal(try identify("--gallery", others.path, "--open-set"), "none of its people are in the gallery")
  }

  /// The same people in every form that training takes.
  @Test func recordFilesAndLists() throws {
    func pack(_ folder: String, _ name: String) throws -> String {
      try files.write(to: "\(name)/.keep")
      _ = try RecordPacker(ImageSet.open(folder), output: files["\(name)/train.rec"], reencoding: .init()).run()
      return files["\(name)/train.rec"]
    }
    let (people, strangers) = (try pack(probes.path, "p"), try pack(others.path, "o"))
    let lines = try ImageFolder(root: others.path)
    let list = try files.write(
      Data(
        (0..<lines.count).map { "\(lines.path(of: $0))\t\(lines.classNames[lines.label(of: $0)])\n" }.joined().utf8),
      to: "others.txt")
    let folders = try report(identify("--json", "--distractors", others.path))
    for (probes, distractors) in [(people, strangers), (files["p"], list)] {
      let records = try report(identify("--json", "--distractors", distractors, probes: probes, ranks: 2))
      #expect(records.rates == folders.rates && records.mateScores == folders.mateScores)
      #expect(records.searches == folders.searches && records.people == 4)
    }
    let found = try report(identify("--json", "--gallery", people, "--distractors", strangers))
    #expect(try found.rates == report(identify("--json", "--gallery", probes.path, "--distractors", others.path)).rates)
    // Numbers of two sets are no names; among themselves, probes need none.
    try FileManager.default.removeItem(atPath: people + ".catalog")
    for (first, second) in [(probes.path, people), (people, probes.path)] {
      expectRefusal(
        try identify("--gallery", second, probes: first), people, "numbers and no names",
        "Give sets with people's names")
    }
    #expect(try report(identify("--json", "--distractors", others.path, probes: people)).rates == folders.rates)
    let bin = try files.write(to: "pairs.bin")
    expectRefusal(try identify("--distractors", bin), "pairs.bin: a .bin holds pairs without people")
  }

  @Test(arguments: [1, 2]) func refusals(ranks: Int) throws {
    let gallery = try FaceFolder(people: 2, images: 1)
    expectRefusal(
      try identify("--gallery", gallery.path, ranks: ranks), "2 of its people are not in the gallery", "p02")
    expectRefusal(try identify(ranks: ranks), "--distractors, or a --gallery")
    expectRefusal(try identify("--distractors", files["absent"], ranks: ranks), "absent")
    expectRefusal(try identify("--distractors", others.path, "--pairs", "x", ranks: ranks), "--pairs is of no use")
    expectRefusal(
      try identify("--distractors", others.path, probes: gallery.path, ranks: ranks), "nobody has two images")
    try others.write(Data([1, 2]), to: "other3/1.pgm")
    expectRefusal(try identify("--distractors", others.path, ranks: ranks), "other3/1.pgm", "1 of 27 images")
    let outcome = try identify("--distractors", others.path, "--max-bad-images", "0.05", "--json", ranks: ranks)
    let report = try report(outcome)
    #expect(report.distractorImages == 26 && report.badImages.map(\.identifier) == ["other3/1.pgm"])
  }

  private func expectRefusal(
    _ outcome: Subprocess.Outcome, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(outcome.exitCode != 0, sourceLocation: sourceLocation)
    for word in words { #expect(outcome.text.contains(word), "\(outcome.text)", sourceLocation: sourceLocation) }
    #expect(outcome.lines.count { $0.hasPrefix("Error: ") } == 1, "\(outcome.text)", sourceLocation: sourceLocation)
  }
}
