import Datasets
import Foundation
import TestSupport
import Testing
import Weights

/// The event files of a run hold what its metrics do, and pictures and histograms of what the network saw.
@Suite(.serialized) struct TensorBoardCommandTests {
  private let faces: FaceFolder
  private let run: String

  init() throws {
    faces = try FaceFolder(people: 4, images: 5)
    run = faces.path + "-run"
  }

  private func train(_ more: [String], ranks: Int = 1) throws -> Subprocess.Outcome {
    try Subprocess.cosface(
      [
        "train", "--data", faces.path, "--output", run, "--network", "mobilefacenet", "--embedding", "32",
        "--input-size", "48", "--batch-size", "4", "--steps", "6", "--optimizer", "sgd", "--learning-rate", "0.02",
        "--holdout-people", "2",
        "--validate-every", "3", "--histogram-every", "2",
      ] + more, ranks: ranks)
  }

  private func metrics() throws -> [[String: Double]] {
    try RunMetrics.lines(run).map { line in
      var numbers = ["dataSeconds": line.dataSeconds, "seconds": line.seconds, "loss": line.loss, "scale": line.scale]
      numbers["classWeightNorm"] = line.classWeightNorm
      numbers["learningRate"] = line.learningRate
      numbers["imagesPerSecond"] = line.imagesPerSecond
      numbers["communicationShare"] = line.communicationShare
      for validation in line.validations ?? [] {
        numbers["accuracy/" + validation.set] = validation.accuracy
        numbers["crossValidatedAccuracy/" + validation.set] = validation.crossValidatedAccuracy
        numbers["areaUnderCurve/" + validation.set] = validation.areaUnderCurve
      }
      return numbers
    }
  }

  @Test(arguments: [1, 2]) func valuesOfTheMetrics(ranks: Int) throws {
    defer { try? FileManager.default.removeItem(atPath: run) }
    let outcome = try train([], ranks: ranks)
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    let events = try EventReader(folder: run + "/tensorboard").events
    #expect(events.first?.version == "brain.Event:2")
    let steps = events.dropFirst()
    let lines = try metrics()
    #expect(steps.map(\.step) == Array(0..<6))
    for (event, line) in zip(steps, lines) {
      let names = [
        "loss", "scale", "classWeightNorm", "learningRate", "imagesPerSecond", "communicationShare",
        "accuracy/heldOut", "crossValidatedAccuracy/heldOut", "areaUnderCurve/heldOut",
      ]
      for name in names {
        #expect(event.scalar(name) == line[name].map { Float($0) }, "\(name) at step \(event.step)")
      }
      let share = try #require(line["dataSeconds"]) / #require(line["seconds"])
      #expect(abs(Double(try #require(event.scalar("dataShare"))) - share) < 1e-6)
    }
    #expect(steps.compactMap { $0.scalar("accuracy/heldOut") }.count == 2)
    try expectHistograms(Array(steps), lines)
    try expectPictures(Array(steps))
  }

  private func expectHistograms(_ events: [EventReader.Event], _ lines: [[String: Double]]) throws {
    let tags = ["classWeightNorms", "embeddingNorms", "cosines/sameClass", "cosines/otherClasses"]
    for event in events {
      for tag in tags { #expect((event.values[tag] != nil) == (event.step % 2 == 0), "\(tag) at step \(event.step)") }
    }
    for event in events where event.step % 2 == 0 {
      let norms = try #require(try event.message("classWeightNorms", field: 5))
      #expect(EventReader.double(norms[3]) == 2)
      // The rows' new common norm is the mean of what they were before the projection.
      let mean = try #require(EventReader.double(norms[4])) / 2
      #expect(abs(mean - (try #require(lines[event.step]["classWeightNorm"]))) < 1e-6)
      let same = try #require(try event.message("cosines/sameClass", field: 5))
      let others = try #require(try event.message("cosines/otherClasses", field: 5))
      // Two classes: each sample has one cosine of either kind.
      #expect(EventReader.double(same[3]) == EventReader.double(others[3]))
      for histogram in [norms, same, others] {
        let (limits, counts) = (EventReader.doubles(histogram[6]), EventReader.doubles(histogram[7]))
        #expect(limits.count == counts.count && counts.reduce(0, +) == EventReader.double(histogram[3]))
        #expect(limits == limits.sorted() && limits.last == EventReader.double(histogram[2]))
      }
      for histogram in [same, others] {
        #expect(try #require(EventReader.double(histogram[1])) >= -1.001)
        #expect(try #require(EventReader.double(histogram[2])) <= 1.001)
      }
    }
  }

  /// At the start and with each validation.
  private func expectPictures(_ events: [EventReader.Event]) throws {
    #expect(events.filter { $0.values["batch"] != nil }.map(\.step) == [0, 2, 5])
    let image = try #require(try events[0].message("batch", field: 4))
    guard case .bytes(let png)? = image[4], case .number(let width)? = image[2] else {
      Issue.record("no picture")
      return
    }
    let decoded = try png.withUnsafeBytes { bytes in
      let decoder = ImageDecoder()
      let image = try decoder.decode(bytes, name: "batch")
      return (image.width, image.height, Set(UnsafeBufferPointer(start: image.pixels, count: 48 * 3)).count)
    }
    #expect((decoded.0, decoded.1) == (Int(width), 96))
    #expect(decoded.2 > 4, "the first row of pixels is all but uniform")
  }

  /// What is trained again is announced as TensorBoard wants it: readers drop the former events.
  @Test func aResumedRunStartsANewFile() throws {
    defer { try? FileManager.default.removeItem(atPath: run) }
    #expect(try train(["--checkpoint-every", "2", "--stop-after", "4"]).exitCode == 75)
    // As if it had crashed right after the checkpoint of step 2.
    let checkpoints = try CheckpointStore(run: run).folders()
    for folder in checkpoints where folder.step != 2 { try FileManager.default.removeItem(atPath: folder.path) }
    let outcome = try Subprocess.cosface(["train", "--resume", run])
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    let events = try EventReader(folder: run + "/tensorboard").events
    #expect(events.filter { $0.version != nil }.count == 2)
    #expect(events.filter(\.startsSession).map(\.step) == [2])
    var kept: [EventReader.Event] = []
    for event in events {
      if event.startsSession { kept.removeAll { $0.step >= event.step } }
      if event.scalar("loss") != nil { kept.append(event) }
    }
    #expect(kept.map(\.step) == Array(0..<6))
    #expect(kept.map { $0.scalar("loss") } == (try metrics()).map { $0["loss"].map { Float($0) } })
  }

  @Test func nothingUnlessAskedFor() throws {
    defer { try? FileManager.default.removeItem(atPath: run) }
    #expect(try train(["--no-tensorboard", "--histogram-every", "0"]).exitCode == 0)
    #expect(!FileManager.default.fileExists(atPath: run + "/tensorboard"))
  }
}
