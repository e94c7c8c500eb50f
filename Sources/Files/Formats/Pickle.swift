/// Python's pickles of bytes, strings, numbers, booleans, lists and tuples: protocols 2 to 5, and nothing else.
///
/// A pickle is a program for a machine with a stack. This machine knows the opcodes that build such values and refuses all
/// others, so that it can call nothing; work and memory are bounded by the file's size, and nothing recurses. One pattern
/// looks like a call and is read as the value that it stands for: protocol 2 has no bytes, so that Python 3 writes them as
/// `_codecs.encode(text, 'latin1')`.
///
/// Opcodes: CPython's `Lib/pickletools.py`.
package struct Pickle {
  package enum Value: Equatable {
    case none
    case boolean(Bool)
    case integer(Int)
    case bytes(Bytes)
    /// UTF-8 at these places of the file.
    case text(Range<Int>)
    /// Index in `containers`.
    case list(Int)
    case tuple(Int)
    /// The function `_codecs.encode`, to be taken for itself alone.
    case encode
  }

  /// Bytes that stand in the file as they are, or as UTF-8 of a string in which each character is a byte.
  package struct Bytes: Equatable {
    package let range: Range<Int>
    let isText: Bool

    package init(range: Range<Int>, isText: Bool) {
      self.range = range
      self.isText = isText
    }
  }

  /// More than any set of pairs has.
  static let maximumOperations = 1 << 24

  package private(set) var value = Value.none
  /// The elements of lists and tuples. One may hold itself: whoever walks them must not trust that they end.
  package private(set) var containers: [[Value]] = []

  private let file: UnsafeRawBufferPointer
  private let path: String
  private var position = 0
  private var stack: [Value] = []
  private var marks: [Int] = []
  private var memo: [Int: Value] = [:]

  /// Runs the pickle in `file`, which must end where the pickle does.
  ///
  /// - Throws: `DataError` of `path`
  package init(_ file: UnsafeRawBufferPointer, path: String) throws(DataError) {
    self.file = file
    self.path = path
    guard file.count >= 2, file[0] == 0x80, (2...5).contains(file[1]) else {
      throw DataError(
        path, "it is not a pickle of protocol 2 to 5",
        remedy: "Write it again with pickle.dump((images, issame), file, protocol=4).")
    }
    for operation in 1... {
      guard operation <= Self.maximumOperations else {
        throw failure(position, "more than \(Self.maximumOperations) operations")
      }
      guard try !step() else { break }
    }
    guard position == file.count else {
      throw failure(position, "the pickle ends here, but the file goes on to byte \(file.count)")
    }
  }

  /// One operation; true at the end.
  private mutating func step() throws(DataError) -> Bool {
    let start = position
    let code = try take(1, for: "an operation").first.map { file[$0] } ?? 0
    switch code {
    case 0x80: _ = try take(1, for: "PROTO")
    case 0x95: try skipFrame()
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "]"): push(container: [], isList: true)
    case UInt8(ascii: ")"): push(container: [], isList: false)
    case UInt8(ascii: "l"): push(container: try popToMark(start), isList: true)
    case UInt8(ascii: "t"): push(container: try popToMark(start), isList: false)
    case 0x85...0x87: push(container: try pop(Int(code) - 0x84, start), isList: false)
    case UInt8(ascii: "a"): try append(try pop(1, start), start)
    case UInt8(ascii: "e"): try append(try popToMark(start), start)
    case UInt8(ascii: "q"): memo[try number(1)] = try top(start)
    case UInt8(ascii: "r"): memo[try number(4)] = try top(start)
    case 0x94: memo[memo.count] = try top(start)
    case UInt8(ascii: "h"): stack.append(try recall(number(1), start))
    case UInt8(ascii: "j"): stack.append(try recall(number(4), start))
    case UInt8(ascii: "N"): stack.append(.none)
    case 0x88: stack.append(.boolean(true))
    case 0x89: stack.append(.boolean(false))
    case UInt8(ascii: "K"): stack.append(.integer(try number(1)))
    case UInt8(ascii: "M"): stack.append(.integer(try number(2)))
    case UInt8(ascii: "J"): stack.append(.integer(Int(Int32(truncatingIfNeeded: try number(4)))))
    case UInt8(ascii: "C"), UInt8(ascii: "U"): stack.append(.bytes(try bytes(sizeOf: 1)))
    case UInt8(ascii: "B"), UInt8(ascii: "T"): stack.append(.bytes(try bytes(sizeOf: 4)))
    case 0x8E, 0x96: stack.append(.bytes(try bytes(sizeOf: 8)))
    case 0x8C: stack.append(.text(try bytes(sizeOf: 1).range))
    case UInt8(ascii: "X"): stack.append(.text(try bytes(sizeOf: 4).range))
    case 0x8D: stack.append(.text(try bytes(sizeOf: 8).range))
    case UInt8(ascii: "c"): try readGlobal(start)
    case UInt8(ascii: "R"): try reduce(start)
    case UInt8(ascii: "."):
      value = try pop(1, start)[0]
      guard stack.isEmpty, marks.isEmpty else { throw failure(start, "the pickle ends with values left over") }
      return true
    case 0x93: throw refuseStackGlobal(start)
    default: throw refusal(of: code, start)
    }
    return false
  }

  // MARK: - The file

  /// The next `count` bytes.
  private mutating func take(_ count: Int, for what: @autoclosure () -> String) throws(DataError) -> Range<Int> {
    guard count >= 0, count <= file.count - position else {
      throw failure(position, "\(what()) needs \(count) bytes where the file has \(file.count - position) left")
    }
    position += count
    return (position - count)..<position
  }

  /// A whole number of `size` bytes, little-endian and without a sign.
  private mutating func number(_ size: Int) throws(DataError) -> Int {
    let bytes = try take(size, for: "a number")
    let value = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64(file[$1]) }
    // Past Int no length fits into any file.
    return Int(clamping: value)
  }

  private mutating func bytes(sizeOf size: Int) throws(DataError) -> Bytes {
    Bytes(range: try take(try number(size), for: "a value"), isText: false)
  }

  private mutating func skipFrame() throws(DataError) {
    let start = position
    let length = try number(8)
    guard length <= file.count - position else {
      throw failure(start, "a frame of \(length) bytes where the file has \(file.count - position) left")
    }
  }

  // MARK: - The stack

  private mutating func push(container: [Value], isList: Bool) {
    containers.append(container)
    stack.append(isList ? .list(containers.count - 1) : .tuple(containers.count - 1))
  }

  /// The last `count` values, not reaching below the last mark.
  private mutating func pop(_ count: Int, _ start: Int) throws(DataError) -> [Value] {
    guard stack.count - (marks.last ?? 0) >= count else { throw failure(start, "values are missing") }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popToMark(_ start: Int) throws(DataError) -> [Value] {
    guard let mark = marks.popLast() else { throw failure(start, "a mark is missing") }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }

  private func top(_ start: Int) throws(DataError) -> Value {
    guard let top = stack.last, stack.count > marks.last ?? 0 else { throw failure(start, "a value is missing") }
    return top
  }

  private mutating func append(_ values: [Value], _ start: Int) throws(DataError) {
    guard case .list(let index) = try top(start) else { throw failure(start, "values are appended to what is no list") }
    containers[index].append(contentsOf: values)
  }

  private func recall(_ index: Int, _ start: Int) throws(DataError) -> Value {
    guard let value = memo[index] else { throw failure(start, "nothing was remembered as \(index)") }
    return value
  }

  // MARK: - What looks like code

  /// `_codecs.encode`, or a refusal.
  private mutating func readGlobal(_ start: Int) throws(DataError) {
    let words = file[position...].prefix(200).split(separator: 10, maxSplits: 2, omittingEmptySubsequences: false)
    guard words.count == 3 else { throw failure(start, "a GLOBAL without two lines of names") }
    let names = words[..<2].map { String(decoding: $0, as: UTF8.self) }
    guard names == ["_codecs", "encode"] else { throw refusal(ofGlobal: names, start) }
    position = words[1].endIndex + 1
    stack.append(.encode)
  }

  /// `_codecs.encode(text, 'latin1')` is the bytes of the text.
  private mutating func reduce(_ start: Int) throws(DataError) {
    let values = try pop(2, start)
    guard values[0] == .encode, case .tuple(let index) = values[1], containers[index].count == 2,
      case .text(let text) = containers[index][0], case .text(let encoding) = containers[index][1],
      ["latin1", "latin-1"].contains(String(decoding: file[encoding], as: UTF8.self))
    else { throw failure(start, "it asks for a call (REDUCE), and code is never run") }
    stack.append(.bytes(Bytes(range: text, isText: true)))
  }

  private func refusal(ofGlobal names: [String], _ start: Int) -> DataError {
    failure(
      start, "it asks for Python's '\(Self.printable(names.joined(separator: ".")))', and code is never run",
      remedy: names[0].hasPrefix("numpy")
        ? "It holds numpy objects. Write it again as bytes and booleans: "
          + "pickle.dump(([bytes(b) for b in images], [bool(s) for s in issame]), file, protocol=4)." : nil)
  }

  /// STACK_GLOBAL, which has its two names on the stack.
  private func refuseStackGlobal(_ start: Int) -> DataError {
    let names = stack.suffix(2).compactMap { value -> String? in
      guard case .text(let range) = value else { return nil }
      return String(decoding: file[range.prefix(100)], as: UTF8.self)
    }
    return names.count == 2 ? refusal(ofGlobal: names, start) : refusal(of: 0x93, start)
  }

  private func refusal(of code: UInt8, _ start: Int) -> DataError {
    let calls: [UInt8: String] = [
      UInt8(ascii: "i"): "INST", UInt8(ascii: "o"): "OBJ", UInt8(ascii: "b"): "BUILD", 0x81: "NEWOBJ",
      0x92: "NEWOBJ_EX",
      0x93: "STACK_GLOBAL", UInt8(ascii: "P"): "PERSID", UInt8(ascii: "Q"): "BINPERSID", 0x82: "EXT1", 0x83: "EXT2",
      0x84: "EXT4",
    ]
    if let name = calls[code] { return failure(start, "it asks for Python objects (\(name)), and code is never run") }
    return failure(start, "the operation \(code) has no place in a pickle of bytes and booleans")
  }

  private static func printable(_ text: String) -> String {
    String(text.unicodeScalars.prefix(80).map { (32..<127).contains($0.value) ? Character($0) : "?" })
  }

  private func failure(_ place: Int, _ reason: String, remedy: String? = nil) -> DataError {
    DataError(path, "at byte \(place): \(reason)", remedy: remedy)
  }
}

extension Pickle.Bytes {
  /// Calls `body` with the bytes: those of the file, or what their text stands for, in `scratch`. Nil where the text has
  /// characters that are no bytes.
  package func withBytes<Result>(
    in file: UnsafeRawBufferPointer, scratch: ByteBuffer, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result? {
    let source = UnsafeRawBufferPointer(rebasing: file[range])
    guard isText else { return try body(source) }
    let buffer = scratch.reserve(source.count)
    var (read, written) = (0, 0)
    while read < source.count {
      let byte = source[read]
      if byte < 0x80 {
        buffer[written] = byte
        read += 1
      } else {
        // U+0080 to U+00FF are two bytes: C2 or C3, and 80 to BF.
        guard byte & 0xFE == 0xC2, read + 1 < source.count, source[read + 1] & 0xC0 == 0x80 else { return nil }
        buffer[written] = byte << 6 | source[read + 1] & 0x3F
        read += 2
      }
      written += 1
    }
    return try body(UnsafeRawBufferPointer(rebasing: buffer[..<written]))
  }
}
