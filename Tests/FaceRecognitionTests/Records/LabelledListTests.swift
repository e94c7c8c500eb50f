import Datasets
import Files
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
        == "DIR/list.txt, line 2: 'path label' is needed, 'index<TAB>label<TAB>path', or 'flag<TAB>path<TAB>label', but it is "
        + "'b.jpg'.")
    for line in ["a,b,c", "a,", ",b", "a\t", "1\t0.5\tx.jpg", "1\t-1\tx.jpg", "1\tnan\tx.jpg"] {
      #expect(reason(line).hasPrefix("DIR/list.txt, line 1: "), "\(line)")
    }
    folder.write([0x61, 0xFF, 0x20, 0x62], "list.txt")
    #expect(throws: DataError.self) { try ImageSet.open(folder.path + "/list.txt") }
    #expect(reason("c.jpg y\na\0b x").hasPrefix("DIR/list.txt, line 2: it holds a zero byte, which no text has."))
    for line in [String(repeating: "a", count: 100_000) + " x", "x " + String(repeating: "a", count: 100_000)] {
      let found = reason(line)
      #expect(found.hasSuffix("line 1: a field of 100000 bytes, where 4095 may be."), "\(found.prefix(200))")
      #expect(found.utf8.count < 200)
    }
    // An absent image is an unreadable one; when it is there, the data are others.
    let absent = try open("none.jpg x\n").fingerprint()
    #expect(try open("none.jpg x\n").fingerprint() == absent)
    folder.write([1], "none.jpg")
    #expect(try open("none.jpg x\n").fingerprint() != absent)
    #expect(throws: DataError.self) { try ImageSet.open(folder.path + "/none.txt") }
    folder.write([1], "image.jpg")
    #expect(throws: DataError.self) { try ImageSet.open(folder.path + "/image.jpg") }
  }

  @Test(
    arguments: [
      "filename,identity\na.jpg,ann\nb.jpg,bo\n", "label\tpath\nann\ta.jpg\nbo\tb.jpg\n",
      "Image_ID,split,Person\na.jpg,1,ann\nb.jpg,2,bo\n", "pic who\na.jpg ann\nb.jpg bo\n",
      "# faces\n\"path\",\"name\"\n\"a.jpg\",\"ann\"\n\"b.jpg\",bo", "id,file name\nann,a.jpg\nbo,b.jpg\n",
    ]) func titles(text: String) throws
  {
    let source = try open(text, "list.csv")
    #expect(source.classNames == ["ann", "bo"] && (0..<2).map(source.identifier) == ["a.jpg", "b.jpg"])
    let line = text.hasPrefix("#") ? 2 : 1
    #expect(source.notes.count == 1)
    #expect(source.notes.first?.hasPrefix("\(folder.path)/list.csv, line \(line): '") == true)
    #expect(source.notes.first?.hasSuffix("' was taken for titles of the columns") == true)
  }

  @Test func whatIsNoTitle() throws {
    // An image of this name is there; an ending; others without an ending, too.
    folder.write([1], "image")
    for text in ["image label\nb.jpg bo\n", "path.jpg label\nb.jpg bo\n", "x ann\ny bo\n", "x/y ann\nb.jpg bo\n"] {
      let source = try open(text)
      #expect(source.count == 2 && source.notes == [], "\(text)")
    }
    #expect(reason("path,label\n") == "DIR/list.txt: the list names no image.")
    #expect(reason("path,label\na.jpg,ann,3\n").contains("line 2: there are 2 titles, but 3 fields: 'a.jpg,ann,3'"))
  }

  @Test func quotes() throws {
    let source = try open(
      "\"a.jpg\",3\n\"b,c.jpg\" ,  \"Lee, \"\"Ann\"\"\"\n\"my face.jpg\" \"Ann Lee\"\n5\"x.jpg\tann\t\n\"#1.jpg\",bo,\n"
    )
    #expect((0..<5).map(source.identifier) == ["a.jpg", "b,c.jpg", "my face.jpg", "5\"x.jpg", "#1.jpg"])
    #expect((0..<5).map { source.classNames[source.label(of: $0)] } == ["3", "Lee, \"Ann\"", "Ann Lee", "ann", "bo"])
    for line in ["\"a.jpg,3", "\"a\"b.jpg,3", "a.jpg,\"ann"] {
      #expect(reason("c.jpg,4\n" + line).contains("line 2: '"), "\(reason("c.jpg,4\n" + line))")
      #expect(reason("c.jpg,4\n" + line).contains("begins with a quote that does not end it"))
    }
  }

  @Test func insightFacesLists() throws {
    let box = "\t1\t2\t90\t95", points = (1...10).map { "\t\($0).5" }.joined()
    let source = try open("1\tann/a b.jpg\t7\n1\tbo/c.jpg\t3\(box)\n1\tbo/5\t3\(box)\(points)\r\n", "train.lst")
    #expect(source.classNames == ["3", "7"] && (0..<3).map(source.label) == [1, 0, 0])
    #expect((0..<3).map(source.identifier) == ["ann/a b.jpg", "bo/c.jpg", "bo/5"])
    #expect(!source.namesPeople && source.notes == [])
    let unaligned = reason("1\ta.jpg\t7\n0\tc.jpg\t3\(box)\(points)\n")
    #expect(unaligned.contains("1 of its 2 images are photographs whose faces are not aligned yet (flag 0"))
    #expect(unaligned.contains("cosface dataset align IMAGES FACES --landmarks DIR/list.txt"))
    let flagged = try open("1\ta.jpg\t7\n0\tc.jpg\t3\n")
    #expect(flagged.count == 2 && flagged.notes.first?.contains("1 of 2 images have the flag 0") == true)
    for line in ["2\ta.jpg\t1", "1\ta.jpg\t1.5", "1\ta.jpg\t-1", "1\ta.jpg\tann", "1\t\t3", "1\ta.jpg\t1\t2\t3"] {
      #expect(reason(line).hasPrefix("DIR/list.txt, line 1: "), "\(line): \(reason(line))")
    }
  }

  /// To String one text, to a disk two names.
  @Test func namesAreBytes() throws {
    folder.write([1], "Zo\u{EB}.jpg")
    folder.write([2], "Zoe\u{308}.jpg")
    let source = try open("Zo\u{EB}.jpg\tZo\u{EB}\nZoe\u{308}.jpg\tZoe\u{308}\na.jpg,\u{301}x\n")
    #expect(source.classNames.count == 3 && (0..<3).map(source.label) == [1, 0, 2])
    #expect(try (0..<2).map(source.encodedImage) == [[1], [2]])
    #expect(Array(source.identifier(of: 2).utf8) == Array("a.jpg".utf8))
  }
}
