/// What a Python pickle would build, as plain nodes: nothing is executed, no class is looked up.
///
/// A pickle is a program for a machine with a stack. This one knows all operations of protocols 0 to 4 (CPython's
/// `pickletools.py`). A call is kept as a node that says what would be called with what; what it means, the reader of the
/// nodes decides. Values hold numbers of nodes, so nothing is nested and a node may be in many places, even in itself.
/// Work and memory are bounded by the pickle's bytes and by `maximumOperations` and `maximumNodes`.
struct PickleGraph {
  enum Value {
    case none
    case boolean(Bool)
    case integer(Int)
    /// A number that is no Int, or bytes: of no use here.
    case other
    case text(String)
    /// A class or function: "module name".
    case global(String)
    /// Number of a node.
    case node(Int)
  }

  enum Kind {
    case list, tuple, dictionary, set
    /// A call of the first element with the second, a tuple; or an object of the class, made so.
    case call
    /// What the first element, a persistent id, stands for.
    case persistent
  }

  struct Node {
    let kind: Kind
    var elements: [Value] = []
    /// Of a dictionary, or what else was given keys.
    var items: [(key: Value, value: Value)] = []
    /// What an object's attributes were set from.
    var state: Value?
  }

  private(set) var nodes: [Node] = []
  private(set) var root = Value.none
  /// The byte behind it.
  var end: Int { position }

  private static let maximumOperations = 1 << 24
  private static let maximumNodes = 1 << 22

  private let file: UnsafeRawBufferPointer
  private let path: String
  private let limit: Int
  private var position: Int
  private var stack: [Value] = []
  private var marks: [Int] = []
  private var memo: [Int: Value] = [:]

  /// Reads one pickle from the start of `range`, which may go on behind it.
  init(_ file: UnsafeRawBufferPointer, _ range: Range<Int>, path: String) throws(SafetensorsError) {
    (self.file, self.path, position, limit) = (file, path, range.lowerBound, range.upperBound)
    var operations = 0
    while try step() {
      operations += 1
      guard operations < Self.maximumOperations else { throw failure("a pickle of more than \(operations) operations") }
    }
    guard stack.count == 1, marks.isEmpty else { throw failure("the pickle ends with \(stack.count) values") }
    root = stack[0]
    (stack, memo) = ([], [:])
  }

  /// One operation; false at the end.
  private mutating func step() throws(SafetensorsError) -> Bool {
    let code = file[try take(1).lowerBound]
    switch code {
    case 0x80: _ = try take(1)
    case 0x95: _ = try take(8)
    case UInt8(ascii: "."): return false
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "0"): _ = try pop(1)
    case UInt8(ascii: "1"): _ = try popToMark()
    case UInt8(ascii: "2"): stack.append(try top())
    case UInt8(ascii: "N"), 0x88, 0x89, UInt8(ascii: "K"), UInt8(ascii: "M"), UInt8(ascii: "J"), UInt8(ascii: "I"),
      UInt8(ascii: "L"), UInt8(ascii: "F"), UInt8(ascii: "G"), 0x8A, 0x8B:
      stack.append(try number(code))
    case UInt8(ascii: "X"), 0x8C, 0x8D, UInt8(ascii: "V"), UInt8(ascii: "T"), UInt8(ascii: "U"), UInt8(ascii: "S"),
      UInt8(ascii: "B"), UInt8(ascii: "C"), 0x8E, 0x96:
      stack.append(try text(code))
    case UInt8(ascii: "q"): memo[try integer(1)] = try top()
    case UInt8(ascii: "r"): memo[try integer(4)] = try top()
    case UInt8(ascii: "p"): memo[try decimal()] = try top()
    case 0x94: memo[memo.count] = try top()
    case UInt8(ascii: "h"): stack.append(try recall(integer(1)))
    case UInt8(ascii: "j"): stack.append(try recall(integer(4)))
    case UInt8(ascii: "g"): stack.append(try recall(decimal()))
    default: try structure(code)
    }
    return true
  }

  /// Operations on what has parts.
  private mutating func structure(_ code: UInt8) throws(SafetensorsError) {
    switch code {
    case UInt8(ascii: "]"): try push(Node(kind: .list))
    case UInt8(ascii: "}"): try push(Node(kind: .dictionary))
    case UInt8(ascii: ")"): try push(Node(kind: .tuple))
    case 0x8F: try push(Node(kind: .set))
    case UInt8(ascii: "l"): try push(Node(kind: .list, elements: popToMark()))
    case UInt8(ascii: "t"): try push(Node(kind: .tuple, elements: popToMark()))
    case 0x91: try push(Node(kind: .set, elements: popToMark()))
    case 0x85...0x87: try push(Node(kind: .tuple, elements: pop(Int(code) - 0x84)))
    case UInt8(ascii: "d"):
      let values = try popToMark()
      try push(Node(kind: .dictionary))
      try setItems(values)
    case UInt8(ascii: "s"): try setItems(pop(2))
    case UInt8(ascii: "u"): try setItems(popToMark())
    case UInt8(ascii: "a"): try append(pop(1))
    case UInt8(ascii: "e"), 0x90: try append(popToMark())
    case UInt8(ascii: "c"): stack.append(.global(try line(400) + " " + line(400)))
    case 0x93: try stackGlobal()
    case 0x82...0x84:
      _ = try take([1, 2, 4][Int(code) - 0x82])
      stack.append(.other)
    case UInt8(ascii: "R"), 0x81: try push(Node(kind: .call, elements: pop(2)))
    // Arguments by name: they say nothing that is needed.
    case 0x92: try push(Node(kind: .call, elements: pop(3).dropLast()))
    case UInt8(ascii: "o"): try call(popToMark())
    case UInt8(ascii: "i"):
      let name = Value.global(try line(400) + " " + line(400))
      try call([name] + popToMark())
    case UInt8(ascii: "Q"): try push(Node(kind: .persistent, elements: pop(1)))
    case UInt8(ascii: "P"): try push(Node(kind: .persistent, elements: [.text(line(4000))]))
    case UInt8(ascii: "b"): try build(pop(1)[0])
    default: throw failure("byte \(code) is no operation of a pickle")
    }
  }

  private mutating func push(_ node: Node) throws(SafetensorsError) {
    guard nodes.count < Self.maximumNodes else { throw failure("a pickle of more than \(nodes.count) objects") }
    nodes.append(node)
    stack.append(.node(nodes.count - 1))
  }

  /// The class, and then its arguments.
  private mutating func call(_ values: [Value]) throws(SafetensorsError) {
    guard let callee = values.first else { throw failure("the pickle calls nothing") }
    try push(Node(kind: .tuple, elements: Array(values.dropFirst())))
    let arguments = try pop(1)[0]
    try push(Node(kind: .call, elements: [callee, arguments]))
  }

  private mutating func stackGlobal() throws(SafetensorsError) {
    let names = try pop(2)
    guard case .text(let module) = names[0], case .text(let name) = names[1], module.utf8.count + name.utf8.count < 800
    else { throw failure("the pickle names a function that has no name") }
    stack.append(.global(module + " " + name))
  }

  private mutating func setItems(_ values: [Value]) throws(SafetensorsError) {
    guard case .node(let index) = try top(), nodes[index].kind == .dictionary || nodes[index].kind == .call,
      values.count % 2 == 0
    else { throw failure("the pickle puts items into what is no dictionary") }
    for item in stride(from: 0, to: values.count, by: 2) {
      nodes[index].items.append((values[item], values[item + 1]))
    }
  }

  private mutating func append(_ values: [Value]) throws(SafetensorsError) {
    guard case .node(let index) = try top() else { throw failure("the pickle appends to what is no list") }
    switch nodes[index].kind {
    case .list, .set: nodes[index].elements += values
    // What a class of its own does with it is not known.
    case .call: break
    default: throw failure("the pickle appends to what is no list")
    }
  }

  private mutating func build(_ state: Value) throws(SafetensorsError) {
    guard case .node(let index) = try top() else { return }
    nodes[index].state = state
  }

  // MARK: - The stack

  private mutating func pop(_ count: Int) throws(SafetensorsError) -> [Value] {
    guard stack.count - (marks.last ?? 0) >= count else { throw failure("the pickle's values are missing") }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popToMark() throws(SafetensorsError) -> [Value] {
    guard let mark = marks.popLast() else { throw failure("the pickle's mark is missing") }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }

  private func top() throws(SafetensorsError) -> Value {
    guard let top = stack.last, stack.count > marks.last ?? 0 else { throw failure("the pickle's value is missing") }
    return top
  }

  private func recall(_ index: Int) throws(SafetensorsError) -> Value {
    guard let value = memo[index] else { throw failure("the pickle remembers nothing as \(index)") }
    return value
  }

  // MARK: - Numbers and texts

  private mutating func number(_ code: UInt8) throws(SafetensorsError) -> Value {
    switch code {
    case UInt8(ascii: "N"): return .none
    case 0x88, 0x89: return .boolean(code == 0x88)
    case UInt8(ascii: "K"): return .integer(try integer(1))
    case UInt8(ascii: "M"): return .integer(try integer(2))
    case UInt8(ascii: "J"): return .integer(Int(Int32(truncatingIfNeeded: try integer(4))))
    case 0x8A: return long(try take(integer(1)))
    case 0x8B: return long(try take(integer(4)))
    case UInt8(ascii: "G"): _ = try take(8)
    case UInt8(ascii: "I"), UInt8(ascii: "L"):
      let digits = try line(10_000)
      if digits == "00" || digits == "01" { return .boolean(digits == "01") }
      return Int(digits.hasSuffix("L") ? digits.dropLast() : Substring(digits)).map { .integer($0) } ?? .other
    default: _ = try line(10_000)
    }
    return .other
  }

  /// Little-endian, in two's complement.
  private func long(_ range: Range<Int>) -> Value {
    guard range.count <= 8 else { return .other }
    let bytes = file[range]
    let isNegative = bytes.last.map { $0 & 0x80 != 0 } ?? false
    return .integer(Int(truncatingIfNeeded: bytes.reversed().reduce(isNegative ? .max : 0) { $0 << 8 | UInt64($1) }))
  }

  private mutating func text(_ code: UInt8) throws(SafetensorsError) -> Value {
    switch code {
    case UInt8(ascii: "X"), UInt8(ascii: "T"): return .text(string(try take(integer(4))))
    case 0x8C, UInt8(ascii: "U"): return .text(string(try take(integer(1))))
    case 0x8D: return .text(string(try take(integer(8))))
    case UInt8(ascii: "V"): return .text(try line(1 << 20))
    case UInt8(ascii: "S"):
      let quoted = try line(1 << 20)
      return .text(quoted.utf8.count >= 2 ? String(quoted.dropFirst().dropLast()) : "")
    case UInt8(ascii: "B"): _ = try take(integer(4))
    case UInt8(ascii: "C"): _ = try take(integer(1))
    default: _ = try take(integer(8))
    }
    return .other
  }

  private func string(_ range: Range<Int>) -> String { String(decoding: file[range], as: UTF8.self) }

  private mutating func take(_ count: Int) throws(SafetensorsError) -> Range<Int> {
    guard count >= 0, count <= limit - position else { throw failure("the pickle is cut off") }
    position += count
    return (position - count)..<position
  }

  private mutating func integer(_ size: Int) throws(SafetensorsError) -> Int {
    Int(clamping: file[try take(size)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
  }

  private mutating func decimal() throws(SafetensorsError) -> Int {
    guard let number = Int(try line(20)), number >= 0 else { throw failure("the pickle's memory has no such place") }
    return number
  }

  private mutating func line(_ maximum: Int) throws(SafetensorsError) -> String {
    guard let feed = file[position..<min(limit, position + maximum)].firstIndex(of: 10) else {
      throw failure("a line of the pickle has no end")
    }
    defer { position = feed + 1 }
    return string(position..<feed)
  }

  private func failure(_ reason: String) -> SafetensorsError {
    SafetensorsError(path: path, offset: position, reason: "it cannot be read as PyTorch's: " + reason)
  }
}
