import FaceRecognition
import Foundation
import Testing

@Suite struct LabelledListTests {
  private let folder = TestFolder()

  private func open(_ text: String, _ name: String = "list.txt") throws -> any ImageSource {
    folder.write(Array(text.utf8), name)
    return try ImageSet.open("\(folder.path)/\(name)")
  }

  private func reason(_ text: String) -> String {
    do {
      _ = try open(text)
      return "read"
    } catch {
      return "\(error)".replacingOccurrences(of: folder.path, with: "DIR")
    }
  }

  @Test func pathsAndLabels() throws {
    folder.write([1, 2], "a/1.jpg")
    folder.write([3], "b c/é 2.jpg")
    let absolute = folder.path + "/a/1.jpg"
    let source = try open("\u{FEFF}# faces\r\n\r\na/1.jpg zoe\r\nb c/é 2.jpg\tann lee\r\n\(absolute),zoe\r\n")
    #expect(source.classNames == ["ann lee", "zoe"] && (0..<3).map(source.label) == [1, 0, 1])
    #expect((0..<3).map(source.identifier) == ["a/1.jpg", "b c/é 2.jpg", absolute])
    #expect(try (0..<3).map(source.encodedImage) == [[1, 2], [3], [1, 2]])
    #expect(source.path(of: 2) == absolute && source.path(of: 0) == absolute)
  }

  @Test func numbersAreOrderedAsNumbers() throws {
    #expect(try open("x 10\ny 9\nz 10").classNames == ["9", "10"])
    #expect(try open("x 10\ny 9\nz a").classNames == ["10", "9", "a"])
  }

  @Test func im2recsLists() throws {
    let source = try open("5\t1.000000\ta b.jpg\n3\t0.000000\tc.jpg\n", "train.lst")
    #expect(source.classNames == ["0", "1"] && (0..<2).map(source.identifier) == ["a b.jpg", "c.jpg"])
    #expect((0..<2).map(source.label) == [1, 0])
  }

  @Test func linesThatAreNone() throws {
    #expect(reason("# nothing\n\n") == "DIR/list.txt: the list names no image.")
    #expect(
      reason("a.jpg x\nb.jpg\n")
        == "DIR/list.txt, line 2: 'path label' is needed, or 'index<TAB>label<TAB>path', but it is 'b.jpg'.")
    for line in ["a,b,c", "a,", ",b", "a\t", "1\t0.5\tx.jpg", "1\t-1\tx.jpg", "1\tnan\tx.jpg"] {
      #expect(reason(line).hasPrefix("DIR/list.txt, line 1: "), "\(line)")
    }
    folder.write([0x61, 0xFF, 0x20, 0x62], "list.txt")
    #expect(throws: DataError.self) { try ImageSet.open(folder.path + "/list.txt") }
    #expect(reason("a\0b x") == "DIR/list.txt, line 1: the path holds a zero byte.")
    for line in [String(repeating: "a", count: 5_000_000) + " x", "x " + String(repeating: "a", count: 5_000_000)] {
      #expect(reason(line).hasSuffix("has 5000000 bytes, where 4095 may be."), "\(reason(line).prefix(200))")
      #expect(reason(line).utf8.count < 200)
    }
    let absent = try open("none.jpg x\n")
    #expect(throws: DataError.self) { try absent.fingerprint() }
    #expect(throws: DataError.self) { try ImageSet.open(folder.path + "/none.txt") }
    folder.write([1], "image.jpg")
    #expect(throws: DataError.self) { try ImageSet.open(folder.path + "/image.jpg") }
  }
}
