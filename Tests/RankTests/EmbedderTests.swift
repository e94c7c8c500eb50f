import Datasets
import Evaluation
import Foundation
import Inference
import MPI
import NeuralNetwork
import TestSupport
import Testing

extension RankTests {
  /// What P ranks embed together is what one rank embeds alone, to the bit.
  @Suite struct EmbedderTests {
    let world = RankTests.world
    let side = 48

    private func network() -> Network {
      let network = NetworkKind.mobilefacenet.makeNetwork(embeddingWidth: 32, inputSide: side)
      network.initialize(seed: 9)
      return network
    }

    /// Every rank has a folder of its own with the same images, which are of other sizes than the network's.
    private func folder(people: Int = 3, images: Int = 5) throws -> FaceFolder {
      try FaceFolder(people: people, images: images, side: 40)
    }

    private func alone() throws -> Communicator { try world.split(color: world.rank) }

    private func bits(_ values: [Float]?) -> [UInt32] { (values ?? []).map(\.bitPattern) }

    private func expectSame(_ a: Embeddings, _ b: Embeddings) {
      #expect(a.samples == b.samples && a.width == b.width && a.badImages == b.badImages)
      #expect(bits(a.values) == bits(b.values) && bits(a.flipped) == bits(b.flipped))
    }

    /// Blocks that divide the 15 images and that do not; more ranks than blocks, too.
    @Test(arguments: [1, 4, 5, 16], [FlipTest.sum, .none]) func sameBytesOnAnyNumberOfRanks(
      batchSize: Int, flip: FlipTest
    ) throws {
      let folder = try folder()
      let source = try ImageFolder(root: folder.path)
      let embedder = Embedder(network(), batchSize: batchSize, workers: 2)
      let one = try alone()
      let together = try embedder.embed(source, flip: flip, world)
      expectSame(together, try embedder.embed(source, flip: flip, one))
      // Those that stay where they were computed are the same rows.
      let divided = try embedder.divide(source, flip: flip, world)
      let table = try together.table(of: source)
      let rows = divided.rows(of: world.rank)
      #expect(divided.samples == together.samples && rows.count == divided.own.count)
      #expect(divided.starts.count == world.size + 1 && divided.norms == table.norms)
      for row in rows {
        #expect(divided.own.cosine(row - rows.lowerBound, of: table, 0) == table.cosine(row, 0))
      }
      #expect(together.samples == Array(0..<15) && together.values.count == 15 * 32)
      #expect(together.flipped?.count == (flip == .sum ? 15 * 32 : nil))
      #expect(Set(bits(together.values)).count > 400, "The images' embeddings hardly differ")
      let pixels = try RawPixels.embed(source, flip: flip, world)
      expectSame(pixels, try RawPixels.embed(source, flip: flip, one))
      try one.free()
    }

    /// Rows stand with their samples, to the bit, whatever the choice and the batch size.
    @Test func chosenSamples() throws {
      let folder = try folder()
      let source = try ImageFolder(root: folder.path)
      let network = network()
      let all = try Embedder(network, batchSize: 8).embed(source, flip: .none, world)
      let some = try Embedder(network, batchSize: 3).embed(source, samples: [12, 0, 7, 3], flip: .none, world)
      #expect(some.samples == [0, 3, 7, 12])
      for (row, sample) in some.samples.enumerated() {
        let expected = Array(all.values[(32 * sample)..<(32 * sample + 32)])
        #expect(bits(Array(some.values[(32 * row)..<(32 * row + 32)])) == bits(expected), "Row \(row)")
      }
    }

    /// A picture that was mirrored on the disk is what the flip test makes of the original.
    @Test func flippedRowsAreThoseOfMirroredImages() throws {
      let original = try folder(people: 2, images: 3)
      let mirrored = try folder(people: 2, images: 3)
      for person in 0..<2 {
        for image in 0..<3 {
          let name = FaceFolder.name(person, image)
          var data = try Data(contentsOf: URL(fileURLWithPath: "\(original.path)/\(name)"))
          let start = data.count - 40 * 40
          for row in 0..<40 { data[(start + 40 * row)..<(start + 40 * row + 40)].reverse() }
          try mirrored.write(data, to: name)
        }
      }
      let embedder = Embedder(network(), batchSize: 4)
      let flipped = try embedder.embed(try ImageFolder(root: original.path), world)
      let plain = try embedder.embed(try ImageFolder(root: mirrored.path), flip: .none, world)
      // The resizer's sums come in another order in the mirrored picture: rounding alone.
      let difference = greatestDifference(try #require(flipped.flipped), plain.values)
      #expect(difference < greatestDifference(flipped.values, plain.values) / 1000, "\(difference)")
    }

    private func greatestDifference(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).map { abs($0 - $1) }.max() ?? 0 }

    @Test func badImagesAreNamedAndLeftOutUpToTheLimit() throws {
      let folder = try folder()
      let whole = try ImageFolder(root: folder.path)
      let embedder = Embedder(network(), batchSize: 4)
      let before = try embedder.embed(whole, flip: .sum, world)
      // One for the first rank, one for the last.
      try folder.write(Data("P5\n40 40\n255\n".utf8), to: FaceFolder.name(0, 1))
      try folder.write(Data(), to: FaceFolder.name(2, 4))
      let source = try ImageFolder(root: folder.path)
      for limit in [0, 1] {
        let error = #expect(throws: EvaluationError.self) {
          try embedder.embed(source, badImageLimit: limit, world)
        }
        #expect(error?.reason.contains("p00/01.pgm: ") == true || error?.reason.contains("p02/04.pgm: ") == true)
        #expect(error?.reason.contains("where \(limit) may be") == true)
      }
      let after = try embedder.embed(source, badImageLimit: 2, world)
      #expect(after.badImages.map(\.identifier) == ["p00/01.pgm", "p02/04.pgm"])
      #expect(after.samples == (0..<14).filter { $0 != 1 })
      #expect(bits(after.values) == after.samples.flatMap { bits(Array(before.values[(32 * $0)..<(32 * $0 + 32)])) })

      let result = try Verification(of: source, seed: 1)
        .run(.network(embedder, flip: .sum), badImageLimit: 2, world).joined(world)
      #expect(result.report.sameCount == 10 + 6 + 6 && result.pairs.count == 13 * 12 / 2)
      #expect(!result.pairs.contains { [$0.first, $0.second].contains(1) || $0.second == 14 })
      let table = try before.table(of: whole)
      #expect(result.scores == result.pairs.map { table.cosine($0.first, $0.second) })
    }

    @Test func noReadableImageIsAnErrorWhateverTheLimit() throws {
      let folder = try folder(people: 2, images: 2)
      for person in 0..<2 { for image in 0..<2 { try folder.write(Data([1]), to: FaceFolder.name(person, image)) } }
      let source = try ImageFolder(root: folder.path)
      #expect(throws: EvaluationError.self) { try Embedder(network()).embed(source, badImageLimit: 9, world) }
    }

    /// Validation during training: larger passes move the memory, and leave their values in it.
    @Test func trainingPassesBetween() throws {
      let folder = try folder()
      let source = try ImageFolder(root: folder.path)
      let network = NetworkKind.spherenet20.makeNetwork(embeddingWidth: 32, inputSide: side)
      network.initialize(seed: 9)
      let embedder = Embedder(network, batchSize: 2)
      let before = try embedder.embed(source, world)
      for _ in 0..<2 {
        let pass = network.pass(batch: 6, .training)
        pass.input.buffer.update(repeating: 0.5)
        pass.forward()
        pass.outputGradient.buffer.update(repeating: 0.1)
        pass.backward { (_) throws(Never) in }
        expectSame(before, try embedder.embed(source, world))
      }
    }

    @Test func embeddingOfZerosNamesTheImage() throws {
      let folder = try folder()
      let network = NetworkKind.spherenet20.makeNetwork(embeddingWidth: 32, inputSide: side)
      let verification = try Verification(of: try ImageFolder(root: folder.path), seed: 1)
      #expect(throws: EvaluationError("The embedding of 'p00/00.pgm' is all zeros and has no direction")) {
        try verification.run(.network(Embedder(network), flip: .sum), world)
      }
    }
  }
}
