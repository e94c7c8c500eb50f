import Datasets
import Files
import Foundation
import Testing

@Suite(.timeLimit(.minutes(2))) struct BatchLoaderTests {
  /// What a batch held, after its memory has gone on.
  private struct Copy: Equatable {
    let step: Int
    let epoch: Int
    let images: [Float]
    let labels: [Int32]
    let samples: [Int32]

    init(_ batch: Batch) {
      step = batch.step
      epoch = batch.epoch
      images = Array(batch.images)
      labels = Array(batch.labels)
      samples = Array(batch.samples)
    }
  }

  private func run(
    _ source: any ImageSource, _ order: DataOrder, rank: Int = 0, steps: Range<Int>, workers: Int = 2, depth: Int = 3,
    augmentation: Augmentation = .standard
  ) throws -> (batches: [Copy], bad: [BadImage]) {
    let loader = BatchLoader(
      source, order: order, rank: rank, side: 16, augmentation: augmentation, workers: workers, depth: depth)
    loader.start(atStep: steps.lowerBound)
    defer { loader.stop() }
    return (try steps.map { _ in Copy(try loader.next()) }, loader.badImages)
  }

  @Test func batchesHoldTheirSamples() throws {
    let folder = TestFolder.faces(people: 4, images: 3)
    let source = try ImageFolder(root: folder.path)
    let order = DataOrder(sampleCount: 12, batchSize: 5, rankCount: 1, seed: 4)
    let reader = SampleReader(source, side: 16)
    for batch in try run(source, order, steps: 0..<7).batches {
      let position = order.position(ofStep: batch.step)
      #expect(batch.epoch == position.epoch)
      #expect(batch.samples == order.shard(epoch: position.epoch, step: position.stepInEpoch, rank: 0))
      #expect(batch.labels == batch.samples.map { Int32(source.label(of: Int($0))) })
      var images: [Float] = []
      for sample in batch.samples.map(Int.init) {
        var planes = [Float](repeating: 0, count: 768)
        let transform = Augmentation.standard.transform(seed: 4, epoch: position.epoch, sample: sample, side: 16)
        try reader.read(sample, transform, to: &planes)
        images += planes
      }
      #expect(batch.images == images)
    }
  }

  @Test func sameForAnyWorkersAndDepth() throws {
    let folder = TestFolder.faces(people: 5, images: 5)
    let source = try ImageFolder(root: folder.path)
    let order = DataOrder(sampleCount: 25, batchSize: 4, rankCount: 2, seed: 1)
    let one = try run(source, order, rank: 1, steps: 0..<20, workers: 1)
    #expect(try run(source, order, rank: 1, steps: 0..<20, workers: 3).batches == one.batches)
    #expect(try run(source, order, rank: 1, steps: 0..<20, workers: 7, depth: 2).batches == one.batches)
  }

  @Test func startsAnywhere() throws {
    let folder = TestFolder.faces(people: 3, images: 5)
    let source = try ImageFolder(root: folder.path)
    let order = DataOrder(sampleCount: 15, batchSize: 4, rankCount: 1, seed: 8)
    let whole = try run(source, order, steps: 0..<12).batches
    for start in [1, 3, 4, 6, 11] {
      #expect(try run(source, order, steps: start..<12).batches == Array(whole[start...]))
    }
  }

  @Test func restartsAfterStop() throws {
    let folder = TestFolder.faces(people: 2, images: 4)
    let order = DataOrder(sampleCount: 8, batchSize: 2, rankCount: 1, seed: 8)
    let loader = BatchLoader(
      try ImageFolder(root: folder.path), order: order, rank: 0, side: 16, augmentation: .flip, workers: 2)
    loader.start(endStep: 3)
    let first = try (0..<3).map { _ in Copy(try loader.next()) }
    loader.stop()
    loader.start(atStep: 1)
    #expect(Copy(try loader.next()) == first[1])
    let batch = try loader.next()
    #expect(Copy(batch) == first[2])
    loader.release(batch)
    #expect(try loader.next().step == 3)
    loader.stop()
    loader.stop()
  }

  @Test func emptyShards() throws {
    let folder = TestFolder.faces(people: 2, images: 3)
    let source = try ImageFolder(root: folder.path)
    // 4 samples, then 2 for the first rank alone.
    let order = DataOrder(sampleCount: 6, batchSize: 2, rankCount: 2, seed: 2)
    let batches = try run(source, order, rank: 1, steps: 0..<6).batches
    #expect(batches.map(\.labels.count) == [2, 0, 2, 0, 2, 0])
    #expect(batches.map(\.images.count) == [2, 0, 2, 0, 2, 0].map { $0 * 768 })
    #expect(batches.map(\.epoch) == [0, 0, 1, 1, 2, 2])
  }

  @Test(arguments: [1, 3]) func badImagesAreReplacedAndListed(workers: Int) throws {
    let folder = TestFolder.faces(people: 3, images: 4)
    folder.write([], "person-1/1.jpg")
    folder.write(Array(Picture.constant(1, 2, 3).jpeg().dropLast(40)), "person-1/2.jpg")
    folder.write(Array("nonsense".utf8), "person-2/3.jpg")
    let source = try ImageFolder(root: folder.path)
    let order = DataOrder(sampleCount: 12, batchSize: 5, rankCount: 1, seed: 3)
    let (batches, bad) = try run(source, order, steps: 0..<(2 * order.stepsPerEpoch), workers: workers)
    #expect(bad.map(\.identifier).sorted() == ["person-1/1.jpg", "person-1/2.jpg", "person-2/3.jpg"])
    #expect(bad.first { $0.sample == 5 }?.reason == "the image cannot be read: the file is empty (0 bytes)")
    #expect(bad.first { $0.sample == 6 }?.reason.hasPrefix("broken JPEG") == true)
    for batch in batches {
      let wanted = order.samples(epoch: batch.epoch, step: order.position(ofStep: batch.step).stepInEpoch)
      let replacements: [Int32: Int32] = [5: 7, 6: 7, 11: 8]
      #expect(batch.samples == wanted.map { replacements[$0] ?? $0 })
      #expect(batch.labels == wanted.map { $0 / 4 })
      #expect(batch.images.contains { $0 != 0 })
    }
  }

  /// The list is that of the batches returned, whatever has been read ahead of them.
  @Test func badImagesCountWithTheirBatch() throws {
    let folder = TestFolder.faces(people: 2, images: 6)
    for image in 0..<4 { folder.write([], "person-1/\(image).jpg") }
    let source = try ImageFolder(root: folder.path)
    let order = DataOrder(sampleCount: 12, batchSize: 2, rankCount: 1, seed: 3)
    let loader = BatchLoader(source, order: order, rank: 0, side: 16, augmentation: .none, workers: 3, depth: 6)
    loader.start()
    var expected: [Int] = []
    for step in 0..<6 {
      _ = try loader.next()
      for sample in order.samples(epoch: 0, step: step) where (6..<10).contains(sample) {
        // Replacements are tried in order, so all bad images up to the next good one are met.
        for met in Int(sample)..<10 where !expected.contains(met) { expected.append(met) }
      }
      #expect(loader.badImages.map(\.sample) == expected)
    }
  }

  @Test func personWithoutReadableImageIsAnError() throws {
    let folder = TestFolder.faces(people: 2, images: 2)
    for image in 0..<2 { folder.write([], "person-1/\(image).jpg") }
    let source = try ImageFolder(root: folder.path)
    let order = DataOrder(sampleCount: 4, batchSize: 4, rankCount: 1, seed: 1)
    let error = #expect(throws: DataError.self) { try run(source, order, steps: 0..<1) }
    #expect(error?.path == "\(folder.path)/person-1")
    #expect(error?.reason.hasPrefix("none of the 2 images of this person can be read") == true)
  }

  @Test func droppedLoaderEndsItsWorkers() throws {
    let folder = TestFolder.faces(people: 2, images: 4)
    let source = try ImageFolder(root: folder.path)
    let before = Self.workerCount
    for workers in 1...4 {
      do {
        let order = DataOrder(sampleCount: 8, batchSize: 3, rankCount: 1, seed: 0)
        let loader = BatchLoader(source, order: order, rank: 0, side: 16, augmentation: .none, workers: workers)
        loader.start()
        try withExtendedLifetime(loader) {
          #expect(Self.workers(become: before + workers))
          if workers > 1 { _ = try loader.next() }
        }
      }
      #expect(Self.workers(become: before), "\(Self.workerCount) workers, before \(before)")
    }
  }

  /// Threads of this process that are named as the workers of loaders are.
  private static var workerCount: Int {
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    return threads.count {
      (try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8))?.hasPrefix("data-") == true
    }
  }

  /// A thread is there a moment before it has its name, and a moment after its work.
  private static func workers(become count: Int) -> Bool {
    for _ in 0..<500 {
      if workerCount == count { return true }
      usleep(10_000)
    }
    return false
  }
}
