import Datasets
import Testing

@Suite struct BalancedOrderTests {
  /// 1, 2, 7 and 30 images of four people.
  private let folder = TestFolder()
  private let source: any ImageSource
  private static let counts = [1, 2, 7, 30]

  init() throws {
    for (person, count) in Self.counts.enumerated() {
      for image in 0..<count { folder.write([1], "p\(person)/\(image).jpg") }
    }
    source = try ImageFolder(root: folder.path)
  }

  @Test func everyPersonEquallyOften() {
    for epoch in 0..<5 {
      let draws = BalancedOrder(source).draws(seed: 3, epoch: epoch)
      #expect(draws.count == 40)
      for round in 0..<10 {
        #expect(Set(draws[(4 * round)..<(4 * round + 4)].map { source.label(of: Int($0.sample)) }).count == 4)
      }
      for person in 0..<4 {
        let own = draws.filter { source.label(of: Int($0.sample)) == person }
        // All of a person's images come before one comes again.
        let images = Self.counts[person]
        for (place, draw) in own.enumerated() { #expect(Int(draw.repetition) == place / images) }
        for start in stride(from: 0, to: 10 - images + 1, by: images) {
          #expect(Set(own[start..<(start + images)].map(\.sample)).count == images)
        }
      }
    }
  }

  @Test func aFunctionOfSeedAndEpoch() {
    func draws(_ seed: UInt64, _ epoch: Int) -> [BalancedOrder.Draw] {
      BalancedOrder(source).draws(seed: seed, epoch: epoch)
    }
    #expect(draws(1, 0) == draws(1, 0) && draws(1, 0) != draws(1, 1) && draws(1, 0) != draws(2, 0))
    // Over many epochs a person with more images than rounds shows all of them.
    let seen = Set((0..<20).flatMap { draws(1, $0) }.map(\.sample))
    #expect(seen.count == 40)
  }

  @Test func stepsDoNotDependOnRanks() {
    let orders = [1, 2, 3, 4].map {
      DataOrder(source, sampling: .balanced, batchSize: 12 / $0, rankCount: $0, seed: 9)
    }
    for step in 0..<orders[0].stepsPerEpoch {
      for order in orders {
        #expect(order.samples(epoch: 1, step: step) == orders[0].samples(epoch: 1, step: step))
        let ranks = (0..<order.rankCount).map { order.repetitions(epoch: 1, step: step, rank: $0) }
        #expect(Array(ranks.joined()) == orders[0].repetitions(epoch: 1, step: step, rank: 0))
      }
    }
    let uniform = DataOrder(source, sampling: .uniform, batchSize: 4, rankCount: 1, seed: 9)
    #expect(uniform.repetitions(epoch: 0, step: 0, rank: 0).isEmpty)
    #expect(uniform.permutation(epoch: 0).sorted() == [Int32](0..<40))
  }

  /// An image that is drawn again in an epoch is augmented otherwise.
  @Test func repetitionsLookDifferent() throws {
    let faces = TestFolder()
    let picture = Picture(width: 16, height: 16) { x, y, channel in UInt8(10 * x + 3 * y + channel) }
    faces.write(picture.jpeg(), "a/1.jpg")
    for image in 0..<15 { faces.write(picture.jpeg(), "b/\(image).jpg") }
    let source = try ImageFolder(root: faces.path)
    let order = DataOrder(source, sampling: .balanced, batchSize: 16, rankCount: 1, seed: 2)
    let loader = BatchLoader(source, order: order, rank: 0, side: 16, augmentation: .standard, workers: 2)
    loader.start()
    defer { loader.stop() }
    let batch = try loader.next()
    let places = (0..<16).filter { batch.labels[$0] == 0 }
    let looks = Set(places.map { Array(batch.images[(768 * $0)..<(768 * $0 + 768)]) })
    #expect(places.count == 8 && looks.count == 8)
  }
}
