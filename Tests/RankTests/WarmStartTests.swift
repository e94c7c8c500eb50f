import MPI
import Datasets
import Distributed
import Foundation
import Inference
import NeuralNetwork
import TestSupport
import Testing
import Training
import Weights

extension RankTests {
  /// A run that starts from the weights of another, with more people: the old rows as they were, the new ones where the
  /// network puts their images.
  @Suite struct WarmStartTests {
    let world = RankTests.world
    private let width = 32

    /// Every rank has files of its own, which are the same.
    private final class Material {
      let faces: FaceFolder
      let path: String
      let network: Network
      /// (3, K), rows of the norm `norm` but for rounding.
      let rows: [Float]
      let norm = 1.7

      /// `isProjected` false: rows of many norms, as another program may leave them.
      init(width: Int, people: Int, isProjected: Bool = true) throws {
        faces = try FaceFolder(people: people, images: 4)
        path = NSTemporaryDirectory() + "weights-\(UUID().uuidString).safetensors"
        network = NetworkKind.mobilefacenet.makeNetwork(embeddingWidth: width, inputSide: 48)
        network.initialize(seed: 8)
        let weight = Parameter("classWeight", [3, width], .xavierNormal(fanIn: width, fanOut: 3))
        let store = ParameterStore([weight])
        weight.initializer.fill(weight.value, seed: 8, name: "classWeight")
        if isProjected {
          for row in 0..<3 {
            let values = weight.value[(row * width)..<((row + 1) * width)]
            let factor = norm / WarmStartTests.norm(values)
            for k in values.indices { weight.value[k] = Float(Double(weight.value[k]) * factor) }
          }
        }
        rows = Array(weight.value)
        // Not in the order of the folder, and one who is not there any more.
        let description = ModelDescription(
          network: .mobilefacenet, embeddingWidth: width, inputSide: 48, classNames: ["p02", "gone", "p00"])
        try ModelFile.write(network, classWeight: weight, description, to: path)
        _ = store
      }

      deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    private static func norm(_ values: some Sequence<Float>) -> Double {
      values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    }

    private func start(_ material: Material, _ newRows: NewRows, norm: Double? = nil) throws -> (
      step: TrainingStep, lines: [String]
    ) {
      var options = TrainingOptions(data: [material.faces.path], output: "")
      options.weights = material.path
      (options.embedding, options.inputSize, options.batchSize) = (width, 48, 3)
      (options.newRows, options.classWeightNorm, options.seed) = (newRows, norm, 11)
      let source = try ImageFolder(root: material.faces.path)
      let network = NetworkKind.mobilefacenet.makeNetwork(embeddingWidth: width, inputSide: 48)
      let step = try TrainingStep(
        network, classCount: source.classNames.count, capacity: 3, settings: StepSettings(), communicator: world)
      let lines = try #require(try WarmStart(options, step, source)).finish()
      step.classWeight.materialize()
      return (step, lines)
    }

    private func row(_ step: TrainingStep, _ index: Int) -> [Float] {
      Array(step.classWeight.value[(index * width)..<((index + 1) * width)])
    }

    @Test func oldRowsToTheBitAndNewRowsWhereTheirImagesAre() throws {
      let material = try Material(width: width, people: 5)
      let (step, lines) = try start(material, .mean)
      #expect(row(step, 0) == Array(material.rows[(2 * width)...]))
      #expect(row(step, 2) == Array(material.rows[..<width]))
      #expect(abs(step.classWeight.scale - material.norm) < 1e-6)
      #expect(Array(step.network.parameters.values) == Array(material.network.parameters.values))
      #expect(step.classWeight.store.states[0].values.allSatisfy { $0 == 0 })
      #expect(
        lines.contains { $0.contains("3 new rows of the class weight, from the embeddings of 12 images") }, "\(lines)")
      #expect(lines[0].contains("1 people of the file are not in the data: gone"), "\(lines)")

      // The definition, in plain words.
      let alone = try world.split(color: world.rank)
      let source = try ImageFolder(root: material.faces.path)
      let embeddings = try Embedder(material.network, batchSize: 3).embed(source, flip: .none, alone)
      for label in [1, 3, 4] {
        var sum = [Double](repeating: 0, count: width)
        for sample in 0..<source.count where source.label(of: sample) == label {
          let values = embeddings.values[(sample * width)..<((sample + 1) * width)]
          // The layer's own norm: an untrained network's embeddings are short enough to see its epsilon.
          let length = (values.reduce(0.0) { $0 + Double($1) * Double($1) } + 1e-10).squareRoot()
          for (k, value) in values.enumerated() { sum[k] += Double(value) / length }
        }
        let length = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
        for (value, expected) in zip(row(step, label), sum) {
          #expect(abs(Double(value) - expected * material.norm / length) < 2e-4, "Row \(label)")
        }
      }
      try alone.free()
    }

    @Test func randomRows() throws {
      let material = try Material(width: width, people: 4)
      let (step, lines) = try start(material, .random)
      #expect(row(step, 0) == Array(material.rows[(2 * width)...]))
      #expect(lines.contains { $0.hasSuffix("2 new rows of the class weight, random") }, "\(lines)")
      let fresh = LargeMarginCosineLoss(
        classes: 0..<4, of: 4, width: width, capacity: 1, margin: .cosine(0.35), logitScale: .fixed(16),
        holdsGradient: false)
      fresh.classWeight.initialize(seed: 11)
      for label in [1, 3] {
        let expected = fresh.classWeight.value[(label * width)..<((label + 1) * width)]
        let factor = material.norm / Self.norm(expected)
        for (value, expected) in zip(row(step, label), expected) {
          #expect(abs(Double(value) - Double(expected) * factor) < 1e-6)
        }
      }
    }

    /// Rows of many norms become rows of one: their mean, or what was asked for.
    @Test(arguments: [nil, 2.5]) func rowsOfAnotherProgram(norm: Double?) throws {
      let material = try Material(width: width, people: 3, isProjected: false)
      let (step, _) = try start(material, .mean, norm: norm)
      let norms = [0, 2].map { Self.norm(material.rows[($0 * width)..<(($0 + 1) * width)]) }
      let expected = norm ?? (norms[0] + norms[1]) / 2
      #expect(abs(step.classWeight.scale - expected) < 1e-6)
      for label in 0..<3 { #expect(abs(Self.norm(row(step, label)) - expected) < 1e-5) }
      for (value, old) in zip(row(step, 2), material.rows) {
        #expect(abs(Double(value) - Double(old) * expected / norms[0]) < 1e-6)
      }
    }
  }
}
