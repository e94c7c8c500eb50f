import Datasets
import Testing

@Suite(.timeLimit(.minutes(1))) struct ImageReaderTests {
  @Test(arguments: [1, 3]) func readsTheListInOrder(workers: Int) throws {
    let folder = TestFolder.faces(people: 3, images: 4)
    let source = try ImageFolder(root: folder.path)
    let list = [7, 0, 0, 11, 3, 5, 2]
    let reader = ImageReader(source, samples: list, batchSize: 3, side: 16, workers: workers)
    let single = SampleReader(source, side: 16)
    var seen: [Int] = []
    while let batch = try reader.next() {
      #expect(batch.step * 3 == seen.count && batch.badImages.isEmpty)
      let images = Array(batch.images)
      for position in 0..<batch.count {
        let sample = Int(batch.samples[position])
        var planes = [Float](repeating: 0, count: 768)
        try single.read(sample, PixelTransform(), to: &planes)
        #expect(Array(images[(768 * position)..<(768 * position + 768)]) == planes)
        #expect(batch.labels[position] == Int32(source.label(of: sample)))
        seen.append(sample)
      }
      batch.mirror()
      #expect(Array(batch.images) != images)
      batch.mirror()
      #expect(Array(batch.images) == images)
    }
    #expect(seen == list)
    #expect(try reader.next() == nil)
  }

  @Test func badImageIsBlankAndListed() throws {
    let folder = TestFolder.faces(people: 2, images: 2)
    folder.write([1, 2], "person-0/1.jpg")
    let reader = ImageReader(
      try ImageFolder(root: folder.path), samples: [0, 1, 2], batchSize: 3, side: 16, workers: 2)
    let batch = try #require(try reader.next())
    #expect(batch.badImages.map(\.sample) == [1])
    #expect(batch.images[768..<1536].allSatisfy { $0 == 0 })
    #expect(!batch.images[..<768].allSatisfy { $0 == 0 })
  }

  @Test func emptyList() throws {
    let folder = TestFolder.faces(people: 2, images: 1)
    let reader = ImageReader(try ImageFolder(root: folder.path), samples: [], batchSize: 4, side: 16, workers: 1)
    #expect(try reader.next() == nil)
  }
}
