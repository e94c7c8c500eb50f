import Datasets
import Files
import Testing

/// Images without people, as one class.
@Suite(.timeLimit(.minutes(2))) struct UnlabelledImagesTests {
  private let folder = TestFolder()
  private let picture = Picture.constant(9, 90, 200)

  private func open(_ names: String...) throws -> any ImageSource {
    try ImageSet.unlabelled(paths: names.map { "\(folder.path)/\($0)" })
  }

  private func identifiers(_ source: any ImageSource) -> [String] { (0..<source.count).map(source.identifier) }

  @Test func everyForm() throws {
    for name in ["x/a.jpg", "x/b/c/d.jpg", "x/b/e.jpg", "y/bo/1.jpg", "y/cy/2.jpg"] {
      folder.write(picture.jpeg(), name)
    }
    folder.write(Array("x/b/e.jpg\ny/bo/1.jpg\n".utf8), "list.txt")
    folder.makeFolder("z")
    _ = try RecordPacker(
      ImageFolder(root: folder.path + "/y"), output: folder.path + "/z/train.rec", reencoding: .init()
    ).run()
    #expect(try identifiers(open("x")) == ["a.jpg", "b/c/d.jpg", "b/e.jpg"])
    #expect(try identifiers(open("list.txt")) == ["x/b/e.jpg", "y/bo/1.jpg"])
    #expect(try identifiers(open("z")) == ["bo/1.jpg", "cy/2.jpg"])
    #expect(try identifiers(open("z/train.rec")) == ["bo/1.jpg", "cy/2.jpg"])
    let union = try open("x", "y")
    #expect(identifiers(union) == ["1:a.jpg", "1:b/c/d.jpg", "1:b/e.jpg", "2:bo/1.jpg", "2:cy/2.jpg"])
    #expect(union.classNames == ["images"] && !union.namesPeople && (0..<5).allSatisfy { union.label(of: $0) == 0 })
    #expect(union.path(of: 3) == "\(folder.path)/y/bo/1.jpg")
    #expect(try union.encodedImage(of: 4) == picture.jpeg() && union.encodedSize(of: 4) == picture.jpeg().count)
    try union.validateForTraining(rankCount: 5, minimumPeople: 1)
    #expect(throws: DataError.self) { try union.validateForTraining(rankCount: 6, minimumPeople: 1) }
    #expect(throws: DataError.self) { try union.validateForTraining() }
    #expect(throws: DataError.self) { try open("nowhere") }
    folder.write([], "pairs.bin")
    #expect(throws: DataError.self) { try open("pairs.bin") }
  }

  @Test func nextReadableImageStandsIn() throws {
    for name in ["a.jpg", "b/c.jpg", "d.jpg"] { folder.write(picture.jpeg(), "x/\(name)") }
    folder.write([], "x/b/c.jpg")
    let source = try open("x")
    let order = DataOrder(sampleCount: 3, batchSize: 3, rankCount: 1, seed: 1)
    let loader = BatchLoader(source, order: order, rank: 0, side: 16, augmentation: .none, workers: 1)
    loader.start()
    defer { loader.stop() }
    #expect(Array(try loader.next().samples).sorted() == [0, 2, 2])
  }

  /// A storage that is gone ends the run soon, not after as many tries as there are images.
  @Test func searchForAReplacementEnds() throws {
    for number in 0..<1002 { folder.write([], "x/\(number.digits(4)).jpg") }
    folder.write(picture.jpeg(), "x/9999.jpg")
    let order = DataOrder(sampleCount: 1003, batchSize: 1, rankCount: 1, seed: 1)
    let source = try open("x")
    func read(beginning sample: Int32) throws -> Int32 {
      let step = (0..<1003).first { order.samples(epoch: 0, step: $0) == [sample] }!
      let loader = BatchLoader(source, order: order, rank: 0, side: 16, augmentation: .none, workers: 1)
      loader.start(atStep: step, endStep: step + 1)
      defer { loader.stop() }
      return try loader.next().samples[0]
    }
    #expect(try read(beginning: 3) == 1002)
    let error = #expect(throws: DataError.self) { try read(beginning: 1) }
    #expect(error?.path == "\(folder.path)/x/0001.jpg")
    #expect(error?.reason.hasPrefix("neither this image nor the 999 after it can be read") == true)
  }

  @Test func successorsGoRound() throws {
    let people = TestFolder.faces(people: 2, images: 3)
    let index = ClassIndex(try ImageFolder(root: people.path))
    #expect(Array(index.successors(of: 4, label: 1)) == [5, 3])
    #expect(Array(index.successors(of: 0, label: 0)) == [1, 2])
    let lonely = TestFolder.faces(people: 2, images: 1)
    let single = ClassIndex(try ImageFolder(root: lonely.path))
    #expect(Array(single.successors(of: 1, label: 1)).isEmpty)
  }
}
