import Datasets
import Evaluation
import Files
import Inference
import Testing

@Suite struct VerificationTests {
  @Test func allPairsOfASmallFolder() throws {
    let folder = TestFolder.faces(people: 3, images: 4)
    let verification = try Verification(of: ImageFolder(root: folder.path), maximumPairs: 66, seed: 1)
    #expect(verification.selection == .all && verification.folds == .assigned)
    var pairs = PairSelection.all(labels: (0..<12).map { $0 / 4 })
    pairs.assignFolds()
    #expect(verification.pairs == pairs && verification.counts.same == 18 && verification.counts.different == 48)
    #expect(verification.samples == Array(0..<12))
  }

  /// One pair less than there are: a sample, and no image beside those of its pairs.
  @Test func aSampleOfALargerOne() throws {
    let folder = TestFolder.faces(people: 3, images: 4)
    let source = try ImageFolder(root: folder.path)
    let verification = try Verification(of: source, maximumPairs: 65, seed: 8)
    #expect(verification.selection == .sample(seed: 8))
    #expect(verification.pairs.count { $0.same } == 18 && verification.pairs.count { !$0.same } == 18)
    let few = try Verification(of: source, maximumPairs: 2, seed: 8)
    #expect(few.samples == Set(few.pairs.flatMap { [$0.first, $0.second] }).sorted() && few.pairs.count == 2)
  }

  @Test func nothingToTellApart() throws {
    let lonely = TestFolder.faces(people: 4, images: 1)
    let one = TestFolder.faces(people: 1, images: 4)
    for folder in [lonely, one] {
      let source = try ImageFolder(root: folder.path)
      #expect(throws: EvaluationError.self) { try Verification(of: source, seed: 1) }
    }
  }

  @Test func imagesOfAList() throws {
    let folder = TestFolder.faces(people: 2, images: 2)
    let text = "person-0/0.jpg person-0/1.jpg 1\nperson-1/1.jpg person-0/1.jpg 0\n"
    let verification = try Verification(PairList(DelimitedText(Array(text.utf8), path: "list.txt"), root: folder.path))
    #expect(verification.selection == .list(path: "list.txt"))
    let source = verification.source
    #expect(source.location == folder.path && source.count == 3)
    #expect((0..<3).map(source.identifier) == ["person-0/0.jpg", "person-0/1.jpg", "person-1/1.jpg"])
    let whole = try ImageFolder(root: folder.path)
    for (sample, same) in [(0, 0), (1, 1), (2, 3)] {
      #expect(try source.encodedImage(of: sample) == whole.encodedImage(of: same))
      #expect(try source.encodedSize(of: sample) == whole.encodedSize(of: same))
    }
    #expect(throws: EvaluationError.self) {
      try Verification(
        PairList(DelimitedText(Array("person-0/0.jpg person-0/1.jpg 1".utf8), path: "list.txt"), root: folder.path))
    }
  }

  @Test func imagesElsewhereAreCalledByTheirWholePath() throws {
    let folder = TestFolder.faces(people: 1, images: 1)
    let path = "\(folder.path)/person-0/0.jpg"
    let list = ImageList([path], root: "/elsewhere")
    #expect("\(list.location)/\(list.identifier(of: 0))" == path)
    #expect(try list.encodedSize(of: 0) == list.encodedImage(of: 0).count)
    let missing = ImageList(["/elsewhere/a.jpg", path], root: "/elsewhere")
    #expect {
      try missing.encodedImage(of: 0)
    } throws: {
      "\($0)".contains("/elsewhere/a.jpg: the image cannot be read: No such file")
    }
  }
}
