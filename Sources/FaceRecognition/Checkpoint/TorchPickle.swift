/// The pickled dictionary of a PyTorch file: which tensors it names, and where they lie. Nothing is executed.
///
/// A pickle is a program for a machine with a stack. This one knows the operations of which `torch.save` makes a state dict,
/// and takes the functions that they name (`_rebuild_tensor_v2`, `OrderedDict`, storage types) for the values that these
/// would build; all else is refused. Work and memory are bounded by the file's size. Opcodes: CPython's `pickletools.py`.
struct TorchPickle {
  struct Tensor {
    let type: TensorType
    /// Name of the storage's member in the archive.
    let storage: String
    /// In elements.
    let offset: Int
    let shape: [Int]
    let strides: [Int]
  }

  private indirect enum Value {
    case none
    case boolean
    case integer(Int)
    case text(String)
    case tuple([Value], depth: Int)
    /// Index in `dictionaries`.
    case dictionary(Int)
    case function(String)
    case storage(TensorType, String)
    case tensor(Tensor)
  }

  private static let storages: [String: TensorType] = [
    "FloatStorage": .float32, "DoubleStorage": .float64, "HalfStorage": .float16, "BFloat16Storage": .bfloat16,
    "LongStorage": .int64, "IntStorage": .int32, "ShortStorage": .int16, "CharStorage": .int8, "ByteStorage": .uint8,
    "BoolStorage": .bool,
  ]
  /// Deeper tuples are in no state dict, and freeing them would cost stack.
  private static let maximumDepth = 8

  private let file: UnsafeRawBufferPointer
  private let path: String
  private let end: Int
  private var position: Int
  private var stack: [Value] = []
  private var marks: [Int] = []
  private var memo: [Int: Value] = [:]
  private var dictionaries: [[(key: Value, value: Value)]] = []

  /// `range`: the pickle's bytes in `file`.
  init(_ file: UnsafeRawBufferPointer, _ range: Range<Int>, path: String) throws(SafetensorsError) {
    (self.file, self.path, position, end) = (file, path, range.lowerBound, range.upperBound)
    while try step() {}
  }

  /// The tensors of the dictionary, in its order.
  func tensors() throws(SafetensorsError) -> [(name: String, tensor: Tensor)] {
    guard case .dictionary(let index)? = stack.last, stack.count == 1 else { throw failure("it holds no dictionary") }
    var names: Set<String> = []
    var tensors: [(name: String, tensor: Tensor)] = []
    for (key, value) in dictionaries[index] {
      guard case .text(let name) = key else { throw failure("a key of its dictionary is no name") }
      guard case .tensor(let tensor) = value else {
        throw failure("its '\(name.prefix(80))' is no tensor: give a file of the state dict alone")
      }
      guard names.insert(name).inserted else { throw failure("two tensors are named '\(name.prefix(80))'") }
      tensors.append((name, tensor))
    }
    return tensors
  }

  /// One operation; false at the end.
  private mutating func step() throws(SafetensorsError) -> Bool {
    let code = file[try take(1).lowerBound]
    switch code {
    case 0x80: _ = try take(1)
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "}"): stack.append(newDictionary())
    case UInt8(ascii: ")"): stack.append(.tuple([], depth: 1))
    case UInt8(ascii: "t"): stack.append(try tuple(popToMark()))
    case 0x85...0x87: stack.append(try tuple(pop(Int(code) - 0x84)))
    case UInt8(ascii: "q"): memo[try number(1)] = try top()
    case UInt8(ascii: "r"): memo[try number(4)] = try top()
    case UInt8(ascii: "h"): stack.append(try recall(number(1)))
    case UInt8(ascii: "j"): stack.append(try recall(number(4)))
    case UInt8(ascii: "N"): stack.append(.none)
    case 0x88, 0x89: stack.append(.boolean)
    case UInt8(ascii: "K"): stack.append(.integer(try number(1)))
    case UInt8(ascii: "M"): stack.append(.integer(try number(2)))
    case UInt8(ascii: "J"): stack.append(.integer(Int(Int32(truncatingIfNeeded: try number(4)))))
    case 0x8A: stack.append(.integer(try longNumber()))
    case UInt8(ascii: "X"): stack.append(.text(String(decoding: file[try take(number(4))], as: UTF8.self)))
    case UInt8(ascii: "c"): stack.append(.function(try line() + " " + line()))
    case UInt8(ascii: "Q"): try loadStorage()
    case UInt8(ascii: "R"): try call()
    case UInt8(ascii: "s"): try setItems(pop(2))
    case UInt8(ascii: "u"): try setItems(popToMark())
    // BUILD: attributes of the dictionary, which say nothing of its tensors.
    case UInt8(ascii: "b"): _ = try pop(1)
    case UInt8(ascii: "."): return false
    default: throw failure("the pickle's operation \(code) has no place in a state dict")
    }
    return true
  }

  // MARK: - What stands for calls

  /// ('storage', type, key, device, count) names the bytes of a storage.
  private mutating func loadStorage() throws(SafetensorsError) {
    guard case .tuple(let parts, _) = try pop(1)[0], parts.count == 5, case .text("storage") = parts[0],
      case .function(let function) = parts[1], case .text(let key) = parts[2]
    else { throw failure("a storage is not described as PyTorch does") }
    guard function.hasPrefix("torch "), let type = Self.storages[String(function.dropFirst(6))] else {
      throw failure("its numbers are of a type that is not read: \(Self.printable(function))")
    }
    stack.append(.storage(type, key))
  }

  private mutating func call() throws(SafetensorsError) {
    let values = try pop(2)
    guard case .function(let function) = values[0], case .tuple(let arguments, _) = values[1] else {
      throw failure("the pickle calls what is no function")
    }
    switch (function, arguments.count) {
    case ("collections OrderedDict", 0): stack.append(newDictionary())
    case ("torch._utils _rebuild_tensor_v2", 6...): stack.append(.tensor(try tensor(arguments)))
    case ("torch._utils _rebuild_parameter", 3):
      guard case .tensor = arguments[0] else { throw failure("a parameter is no tensor") }
      stack.append(arguments[0])
    default:
      throw failure(
        "it asks for Python's \(Self.printable(function)), and code is never run: give a file of the state dict alone")
    }
  }

  /// (storage, offset, shape, strides, requires_grad, hooks)
  private func tensor(_ arguments: [Value]) throws(SafetensorsError) -> Tensor {
    guard case .storage(let type, let key) = arguments[0], case .integer(let offset) = arguments[1],
      let shape = Self.integers(arguments[2]), let strides = Self.integers(arguments[3]), shape.count == strides.count,
      shape.count <= 16
    else { throw failure("a tensor is not described as PyTorch does") }
    return Tensor(type: type, storage: key, offset: offset, shape: shape, strides: strides)
  }

  private static func integers(_ value: Value) -> [Int]? {
    guard case .tuple(let values, _) = value else { return nil }
    let integers = values.compactMap { value -> Int? in
      if case .integer(let integer) = value { integer } else { nil }
    }
    return integers.count == values.count ? integers : nil
  }

  private mutating func newDictionary() -> Value {
    dictionaries.append([])
    return .dictionary(dictionaries.count - 1)
  }

  private mutating func setItems(_ values: [Value]) throws(SafetensorsError) {
    guard case .dictionary(let index) = try top(), values.count % 2 == 0 else {
      throw failure("the pickle puts items into what is no dictionary")
    }
    for item in stride(from: 0, to: values.count, by: 2) {
      dictionaries[index].append((values[item], values[item + 1]))
    }
  }

  // MARK: - The stack

  private func tuple(_ values: [Value]) throws(SafetensorsError) -> Value {
    let depth = 1 + (values.map { if case .tuple(_, let depth) = $0 { depth } else { 0 } }.max() ?? 0)
    guard depth <= Self.maximumDepth else { throw failure("tuples nested deeper than \(Self.maximumDepth)") }
    return .tuple(values, depth: depth)
  }

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

  // MARK: - The bytes

  private mutating func take(_ count: Int) throws(SafetensorsError) -> Range<Int> {
    guard count >= 0, count <= end - position else { throw failure("the pickle is cut off") }
    position += count
    return (position - count)..<position
  }

  private mutating func number(_ size: Int) throws(SafetensorsError) -> Int {
    Int(file[try take(size)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
  }

  /// LONG1: up to 8 bytes here, with a sign.
  private mutating func longNumber() throws(SafetensorsError) -> Int {
    let size = try number(1)
    guard size <= 8 else { throw failure("a number of \(size) bytes") }
    let bytes = file[try take(size)]
    let isNegative = bytes.last.map { $0 & 0x80 != 0 } ?? false
    return Int(truncatingIfNeeded: bytes.reversed().reduce(isNegative ? UInt64.max : 0) { $0 << 8 | UInt64($1) })
  }

  private mutating func line() throws(SafetensorsError) -> String {
    guard let feed = file[position..<min(end, position + 200)].firstIndex(of: 10) else {
      throw failure("the pickle names a function without an end")
    }
    defer { position = feed + 1 }
    return String(decoding: file[position..<feed], as: UTF8.self)
  }

  private static func printable(_ text: String) -> String {
    "'" + String(text.unicodeScalars.prefix(80).map { (32..<127).contains($0.value) ? Character($0) : "?" }) + "'"
  }

  private func failure(_ reason: String) -> SafetensorsError {
    SafetensorsError(path: path, offset: position, reason: "no state dict of PyTorch: " + reason)
  }
}
