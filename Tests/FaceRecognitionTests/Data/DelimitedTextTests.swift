import Files
import Foundation
import Testing

@Suite struct DelimitedTextTests {
  private func fields(_ line: String, _ separator: DelimitedText.Separator? = nil) throws -> [String] {
    let text = try DelimitedText(Array(line.utf8), path: "list")
    var fields: [DelimitedText.Field] = []
    text.fields(text.lines[0], separator ?? text.separator(of: text.lines[0]), into: &fields)
    return try fields.map(text.string)
  }

  @Test func linesKeepTheirNumbers() throws {
    for end in ["\n", "\r\n", "\r"] {
      for (mark, last) in [("", ""), ("\u{FEFF}", end), ("", end + end)] {
        let lines = mark + ["a b", "", "# c", "  ", "d"].joined(separator: end) + last
        let text = try DelimitedText(Array(lines.utf8), path: "list")
        #expect(text.rows == [0, 4] && text.lines.count == 5)
        #expect(text.rows.map { text.shown(text.lines[$0]) } == ["a b", "d"])
      }
    }
    let mixed = try DelimitedText(Array("a\rb\n\rc\r\n\r\nd\u{2028}e\u{85}f".utf8), path: "list")
    #expect(mixed.rows == [0, 1, 3, 5] && mixed.shown(mixed.lines[5]) == "d\u{2028}e\u{85}f")
    #expect(try DelimitedText([], path: "list").lines.isEmpty)
    #expect(try DelimitedText([0xEF, 0xBB, 0xBF], path: "list").lines.isEmpty)
  }

  @Test(
    arguments: [
      ("a,b", ["a", "b"]), (" a , b ", ["a", "b"]), ("a,,b,", ["a", "", "b", ""]), ("a\tb,c d", ["a", "b,c d"]),
      ("  a  b\u{20}", ["a", "b"]), ("\"a,b\",c", ["a,b", "c"]), ("\"a,b\" c", ["a,b", "c"]),
      ("\"a\tb\",c", ["a\tb", "c"]), ("\"a \"\"b\"\"\" ,\" c \"", ["a \"b\"", " c "]), ("\"\",a", ["", "a"]),
      ("\"\"\"\",a", ["\"", "a"]), ("a\"b,c\"\"d", ["a\"b", "c\"\"d"]), ("\"a b\"\t\"c", ["a b", "!"]),
      ("\"a\"b,c", ["!", "c"]), ("\"a\"b c", ["!", "c"]), ("\"a,b", ["!", "b"]), ("\"", ["!"]),
      // An accent behind a separator or a quote is one character with it.
      ("a,\u{301}b", ["a", "\u{301}b"]), ("a\t\u{301}b", ["a", "\u{301}b"]),
      ("\"a\"\"\u{301}\",b", ["a\"\u{301}", "b"]),
    ] as [(String, [String])])
  func fields(line: String, expected: [String]) throws {
    let text = try DelimitedText(Array(line.utf8), path: "list")
    var fields: [DelimitedText.Field] = []
    text.fields(text.lines[0], text.separator(of: text.lines[0]), into: &fields)
    // "!" is a field whose quotes are not closed.
    #expect(fields.map { Array(((try? text.string($0)) ?? "!").utf8) } == expected.map { Array($0.utf8) })
  }

  @Test func oneField() throws {
    #expect(try fields(" my, face.jpg ", DelimitedText.Separator.none) == ["my, face.jpg"])
    #expect(try fields("\" a\"\"b\"", DelimitedText.Separator.none) == [" a\"b"])
  }

  @Test func bounds() throws {
    let long = try DelimitedText(Array(String(repeating: "1", count: 4096).utf8), path: "list")
    var fields: [DelimitedText.Field] = []
    long.fields(long.lines[0], .comma, into: &fields)
    let error = #expect(throws: DataError.self) { try long.string(fields[0], 0) }
    #expect(error?.description == "list, line 1: a field of 4096 bytes, where 4095 may be.")
    #expect(long.number(fields[0]) == nil && long.integer(fields[0]) == nil)
    let numbers = try DelimitedText(Array("1e3 0x10 nan 9223372036854775807 9223372036854775808 -7".utf8), path: "list")
    numbers.fields(numbers.lines[0], .whitespace, into: &fields)
    #expect(numbers.number(fields[0]) == 1000 && numbers.number(fields[1]) == nil)
    #expect(numbers.number(fields[2])?.isNaN == true)
    #expect(fields.map(numbers.integer) == [nil, nil, nil, Int.max, nil, -7])
  }

  @Test func whatIsNoUTF8() throws {
    func error(_ bytes: [UInt8]) -> String {
      let error = #expect(throws: DataError.self) { try DelimitedText(bytes, path: "list") }
      return error?.description ?? ""
    }
    func wide(_ text: String, _ mark: [UInt8], big: Bool) -> [UInt8] {
      mark + text.utf16.flatMap { big ? [UInt8($0 >> 8), UInt8($0 & 255)] : [UInt8($0 & 255), UInt8($0 >> 8)] }
    }
    let text = "a/1.jpg,ann\n"
    #expect(
      error(wide(text, [0xFF, 0xFE], big: false))
        == "list: this is UTF-16 text, where UTF-8 is needed. Convert it: iconv -f UTF-16 -t UTF-8 'list' > NEW.")
    #expect(error(wide(text, [0xFE, 0xFF], big: true)).contains("iconv -f UTF-16 "))
    #expect(
      error(wide(text, [], big: false)).contains(
        "this is UTF-16 text, where UTF-8 is needed. Convert it: iconv -f UTF-16LE "))
    #expect(error(wide(text, [], big: true)).contains("iconv -f UTF-16BE "))
    #expect(error([0xFF, 0xFE, 0, 0, 0x61, 0, 0, 0]).contains("UTF-32"))
    #expect(error(Array("a b\nc\0d e\n".utf8)).hasPrefix("list, line 2: it holds a zero byte"))
    let latin = try DelimitedText([0x61, 10, 0x5A, 0x6F, 0xEB], path: "list")
    var fields: [DelimitedText.Field] = []
    latin.fields(latin.lines[1], .comma, into: &fields)
    let name = #expect(throws: DataError.self) { try latin.string(fields[0], 1) }
    #expect(name?.description == "list, line 2: 'Zo\u{FFFD}' is not UTF-8.")
  }

  @Test func files() throws {
    let folder = TestFolder()
    folder.write([0xEF, 0xBB, 0xBF, 0x61], "list")
    let text = try DelimitedText(path: folder.path + "/list")
    #expect(text.shown(text.lines[0]) == "a")
    #expect(throws: FileError.self) { try DelimitedText(path: folder.path) }
    #expect(throws: FileError.self) { try DelimitedText(path: folder.path + "/none") }
    // Endless, and no text from its first byte on.
    #expect(throws: DataError.self) { try DelimitedText(path: "/dev/zero") }
  }
}
