import Datasets
import Evaluation
import Files
import Foundation
import TestSupport
import Testing

/// Long lists are read block by block: nothing is lost between blocks, and messages name the file's own lines.
@Suite struct TextBlocksTests {
  private func blocks(_ text: String, _ blockSize: Int, _ folder: TemporaryFolder) throws -> TextBlocks {
    try TextBlocks(path: folder.write(Data(text.utf8), to: "list.txt"), blockSize: blockSize)
  }

  private func lines(_ text: DelimitedText) -> [String] { text.lines.map { text.shown($0) } }

  @Test(arguments: ["\n", "\r\n"], [1, 2, 7, 16, 1 << 20]) func linesOfAnyBlocks(end: String, blockSize: Int) throws {
    let folder = try TemporaryFolder()
    let expected = ["first", "", "a line that is longer than a block of sixteen bytes", "é è", "x", "last"]
    for text in [expected.joined(separator: end), expected.joined(separator: end) + end] {
      let blocks = try blocks(text, blockSize, folder)
      #expect(blocks.size == text.utf8.count && (blockSize > 100) == (blocks.count == 1))
      var (found, numbers) = ([String](), [Int]())
      for block in 0..<blocks.count {
        let part = try blocks.text(block)
        found += lines(part)
        numbers += part.lines.indices.map(part.lineNumber)
      }
      // A block of an empty line alone says nothing, as the end of a text does.
      #expect(found.filter { !$0.isEmpty } == expected.filter { !$0.isEmpty })
      #expect(zip(found, numbers).allSatisfy { $0.isEmpty || expected[$1 - 1] == $0 }, "\(numbers)")
      #expect(try lines(blocks.whole()) == expected)
    }
  }

  @Test func whatIsNoTextOrNotThere() throws {
    let folder = try TemporaryFolder()
    #expect(try blocks("", 4, folder).text(0).lines.isEmpty)
    #expect(throws: FileError.self) { try TextBlocks(path: folder["absent"]) }
    #expect(throws: FileError.self) { try TextBlocks(path: folder.path) }
    let zero = try blocks("one\ntwo\nthree\nfo\0ur\n", 4, folder)
    let failure = #expect(throws: DataError.self) { try (0..<zero.count).forEach { _ = try zero.text($0) } }
    #expect(failure?.description.contains("list.txt, line 4: it holds a zero byte") == true)
  }

  /// A list of pairs of few images, in which the images of one block come again in others.
  private func plain(_ count: Int) -> String {
    (0..<count).map { "\($0 * 7 % 5).jpg \($0 * 3 % 4).jpg \($0 % 3 == 0 ? 1 : 0)\n" }.joined()
  }

  private func names(_ list: PairList) -> [String] {
    list.pairs.map { "\(list.images[$0.first]) \(list.images[$0.second]) \($0.same) \($0.fold)" }
  }

  @Test(arguments: [1, 3, 8]) func partsOfAListArePartsOfItsPairs(parts: Int) throws {
    let folder = try TemporaryFolder()
    for image in 0..<5 { try folder.write(to: "\(image).jpg") }
    for number in 1...4 { try folder.write(to: "A/A_\(number.digits(4)).jpg") }
    let lfw = "2\t2\n" + String(repeating: "A\t1\t2\nA\t3\t4\n2\t1\tA\t1\n2\t1\tA\t2\n", count: 2)
    try folder.write(to: "2/2_0001.jpg")
    for text in [plain(40), "first,second,same\n" + plain(40).replacing(" ", with: ","), lfw] {
      let blocks = try blocks(text, 64, folder)
      let whole = try PairList(path: blocks.path, root: folder.path)
      let divided = try (0..<parts).map { try PairList(blocks, root: folder.path, part: $0, of: parts) }
      #expect(divided.flatMap(names) == names(whole) && names(whole).count == (text == lfw ? 8 : 40))
      #expect(divided.allSatisfy { $0.foldCount == whole.foldCount && $0.notes == whole.notes })
      #expect(parts == 1 || divided.count { !$0.pairs.isEmpty } > 1, "Nothing was divided")
    }
  }

  @Test func messagesOfPartsNameTheFilesLines() throws {
    let folder = try TemporaryFolder()
    for image in 0..<5 { try folder.write(to: "\(image).jpg") }
    var lines = plain(40).split(separator: "\n").map(String.init)
    lines[33] = "0.jpg 1.jpg 2"
    let wrong = try blocks(lines.joined(separator: "\n"), 64, folder)
    let failure = #expect(throws: DataError.self) { try PairList(wrong, root: folder.path, part: 1, of: 2) }
    #expect(failure?.description.contains("list.txt, line 34: the last field is '2'") == true)
    #expect(try PairList(wrong, root: folder.path, part: 0, of: 2).pairs.count > 10)
    lines[33] = "0.jpg 9.jpg 1"
    let absent = try blocks(lines.joined(separator: "\n"), 64, folder)
    let list = try PairList(absent, root: folder.path, part: 1, of: 2)
    #expect(list.absent.map(\.line) == [34] && list.absent[0].image == folder["9.jpg"])
    #expect(try PairList(absent, root: folder.path, part: 1, of: 2, checksFiles: false).absent.isEmpty)
  }

  @Test func partsOfPairsOfTemplates() throws {
    let folder = try TemporaryFolder()
    let templates = try folder.write(Data("1 ann 1 a.jpg\n2 bo 1 b.jpg\n3 ann 2 c.jpg\n".utf8), to: "templates.txt")
    // Longer than two blocks.
    let text = "template_1 template_2\n" + (0..<400_000).map { "\($0 % 3 + 1) \($0 / 3 % 3 + 1)\n" }.joined()
    let pairs = try folder.write(Data(text.utf8), to: "pairs.txt")
    let whole = try TemplateList(path: templates, pairs: pairs, root: "r")
    let divided = try (0..<2).map { part in
      var list = try TemplateList(path: templates, pairs: nil, root: "r")
      try list.readPairs(pairs, part: part, of: 2)
      return list
    }
    #expect(whole.pairs.count == 400_000 && divided.flatMap(\.pairs) == whole.pairs)
    #expect(divided.allSatisfy { $0.pairs.count > 100_000 } && whole.pairs[0].same && whole.pairs[2].same)
  }

  @Test func twelveBytesAPair() {
    #expect(MemoryLayout<FacePair>.stride == 12)
    let pair = FacePair(2_147_483_647, 0, same: true, fold: PairMark.foldLimit - 1)
    #expect(pair.first == 2_147_483_647 && pair.second == 0 && pair.same && pair.fold == 131_071)
    #expect(PairMark(bits: pair.mark.bits) == pair.mark && pair != FacePair(2_147_483_647, 0, same: true))
  }
}
