/// The tensors of what `torch.save` has pickled: a state dict, a checkpoint with one in it, or a whole module.
///
/// A tensor's name is the way to it, keys joined by dots: `state_dict.conv1.weight`. Of a module's attributes
/// `_parameters`, `_buffers` and `_modules` are no part of the way, so that the names are those of its state dict.
struct TorchState {
  struct Tensor {
    let type: TensorType
    let storage: Storage
    /// In elements, from the storage's start.
    let offset: Int
    let shape: [Int]
    let strides: [Int]
  }

  struct Storage {
    /// nil for one without a type of its own, or of a type that is not read.
    let type: TensorType?
    /// Bytes of an element.
    let width: Int
    let key: String
    /// Of the storage with this key the first element.
    let start: Int
  }

  /// In the order of the pickle.
  private(set) var tensors: [(name: String, tensor: Tensor)] = []
  /// Tensors that cannot be read, and why.
  private(set) var unreadable: [(name: String, reason: String)] = []

  private static let types: [String: TensorType] = [
    "FloatStorage": .float32, "DoubleStorage": .float64, "HalfStorage": .float16, "BFloat16Storage": .bfloat16,
    "LongStorage": .int64, "IntStorage": .int32, "ShortStorage": .int16, "CharStorage": .int8, "ByteStorage": .uint8,
    "BoolStorage": .bool, "UInt16Storage": .uint16, "UInt32Storage": .uint32, "UInt64Storage": .uint64,
    "Float8_e5m2Storage": .float8E5M2, "Float8_e4m3fnStorage": .float8E4M3,
  ]
  /// Bytes of an element of those that are not read.
  private static let otherWidths = [
    "ComplexFloatStorage": 8, "ComplexDoubleStorage": 16, "QUInt8Storage": 1, "QInt8Storage": 1, "QInt32Storage": 4,
    "QUInt4x2Storage": 1, "QUInt2x4Storage": 1, "UntypedStorage": 1,
  ]
  private static let dtypes: [String: TensorType] = [
    "float32": .float32, "float64": .float64, "float16": .float16, "bfloat16": .bfloat16, "int64": .int64,
    "int32": .int32, "int16": .int16, "int8": .int8, "uint8": .uint8, "bool": .bool, "uint16": .uint16,
    "uint32": .uint32, "uint64": .uint64, "float8_e5m2": .float8E5M2, "float8_e4m3fn": .float8E4M3,
  ]
  /// Deeper dictionaries are in no checkpoint.
  private static let maximumDepth = 64
  /// A value that is in many places is met in each.
  private static let maximumVisits = 1 << 22

  private let pickle: PickleGraph
  private let path: String
  private var way: [String] = []
  private var nodesOnWay: Set<Int> = []
  private var visits = 0

  init(_ pickle: PickleGraph, path: String) throws(SafetensorsError) {
    (self.pickle, self.path) = (pickle, path)
    try visit(pickle.root)
    var names: Set<Name> = []
    for name in tensors.map(\.name) + unreadable.map(\.name) where !names.insert(Name(name)).inserted {
      throw SafetensorsError(path: path, tensor: String(name.prefix(200)), reason: "two tensors have this name")
    }
  }

  /// Of all tensors, those that are not read included.
  var storages: [Storage] { pickle.nodes.lazy.filter { $0.kind == .persistent }.compactMap(storage) }

  private mutating func visit(_ value: PickleGraph.Value) throws(SafetensorsError) {
    guard case .node(let index) = value else { return }
    visits += 1
    guard visits <= Self.maximumVisits, way.count <= Self.maximumDepth else {
      throw SafetensorsError(path: path, reason: "no checkpoint of PyTorch: dictionaries without an end")
    }
    // An object may be part of its own parts.
    guard nodesOnWay.insert(index).inserted else { return }
    defer { nodesOnWay.remove(index) }
    let node = pickle.nodes[index]
    switch node.kind {
    case .list, .tuple:
      for (number, element) in node.elements.enumerated() { try visit(element, named: "\(number)") }
    case .dictionary: try visitItems(node.items)
    case .set, .persistent: break
    case .call: try visitCall(node)
    }
  }

  private mutating func visit(_ value: PickleGraph.Value, named name: String) throws(SafetensorsError) {
    guard case .node = value else { return }
    way.append(name)
    try visit(value)
    way.removeLast()
  }

  private mutating func visitItems(
    _ items: [(key: PickleGraph.Value, value: PickleGraph.Value)]
  ) throws(SafetensorsError) {
    for (key, value) in items {
      switch key {
      case .text(let name): try visit(value, named: name)
      case .integer(let number): try visit(value, named: "\(number)")
      default: break
      }
    }
  }

  private mutating func visitCall(_ node: PickleGraph.Node) throws(SafetensorsError) {
    let name = way.isEmpty ? "(without a name)" : way.joined(separator: ".")
    switch tensor(of: node) {
    case .tensor(let tensor): return tensors.append((name, tensor))
    case .unreadable(let reason): return unreadable.append((name, reason))
    case nil: break
    }
    try visitItems(node.items)
    if self.name(of: node.elements[0]) == "collections OrderedDict", let pairs = elements(of: node.elements[1]).first {
      // As Python 2 wrote it: made of a list of pairs.
      let pairs = elements(of: pairs).map(elements).filter { $0.count == 2 }
      try visitItems(pairs.map { ($0[0], $0[1]) })
    }
    if node.items.isEmpty, let state = node.state { try visitState(state) }
  }

  /// The attributes of an object.
  private mutating func visitState(_ state: PickleGraph.Value) throws(SafetensorsError) {
    // With slots: (attributes, slots).
    let attributes = elements(of: state).first ?? state
    guard case .node(let index) = attributes, nodesOnWay.insert(index).inserted else { return }
    defer { nodesOnWay.remove(index) }
    for (key, value) in pickle.nodes[index].items {
      guard case .text(let name) = key else { continue }
      if ["_parameters", "_buffers", "_modules"].contains(name) {
        try visit(value)
      } else {
        try visit(value, named: name)
      }
    }
  }

  // MARK: - Tensors

  private enum Found {
    case tensor(Tensor)
    case unreadable(String)
  }

  /// What a call makes; nil where it is no tensor.
  private func tensor(of call: PickleGraph.Node) -> Found? {
    var (callee, arguments) = (name(of: call.elements[0]), elements(of: call.elements[1]))
    // A parameter is made of a tensor, and a tensor with attributes of its own by another call.
    for _ in 0..<8 {
      switch callee {
      case "torch._utils _rebuild_parameter", "torch._utils _rebuild_parameter_with_state":
        guard let inner = node(arguments.first), inner.kind == .call else {
          return .unreadable("a parameter of nothing")
        }
        (callee, arguments) = (name(of: inner.elements[0]), elements(of: inner.elements[1]))
      case "torch._tensor _rebuild_from_type_v2":
        guard arguments.count >= 3 else { return .unreadable("a tensor of nothing") }
        (callee, arguments) = (name(of: arguments[0]), elements(of: arguments[2]))
      case "torch._utils _rebuild_tensor", "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_tensor_v3":
        return tensor(arguments, hasType: callee?.hasSuffix("v3") == true)
      default:
        guard let callee, callee.hasPrefix("torch._utils _rebuild_") || callee.hasPrefix("torch._tensor _rebuild")
        else { return nil }
        return .unreadable("it is of a kind that is not read (\(Self.printable(callee)))")
      }
    }
    return .unreadable("a tensor without an end")
  }

  /// (storage, offset, shape, strides, requires_grad, hooks), and in version 3 the type.
  private func tensor(_ arguments: [PickleGraph.Value], hasType: Bool) -> Found {
    guard arguments.count >= (hasType ? 7 : 4), let id = node(arguments[0]), id.kind == .persistent,
      case .integer(let offset) = arguments[1], let shape = integers(arguments[2]),
      let strides = integers(arguments[3]),
      shape.count == strides.count, shape.count <= 16
    else { return .unreadable("it is not described as PyTorch does") }
    guard let storage = storage(id) else { return .unreadable("its numbers are of a type that is not read") }
    guard hasType else {
      guard let type = storage.type else { return .unreadable("its numbers are of a type that is not read") }
      return .tensor(Tensor(type: type, storage: storage, offset: offset, shape: shape, strides: strides))
    }
    let dtype = name(of: arguments[6]) ?? "nothing"
    guard dtype.hasPrefix("torch "), let type = Self.dtypes[String(dtype.dropFirst(6))] else {
      return .unreadable("its numbers are of a type that is not read: \(Self.printable(dtype))")
    }
    return .tensor(Tensor(type: type, storage: storage, offset: offset, shape: shape, strides: strides))
  }

  /// ('storage', type, key, device, count), and before PyTorch 1.6 (key, offset, count) of a view into it.
  private func storage(_ id: PickleGraph.Node) -> Storage? {
    let parts = elements(of: id.elements[0])
    guard parts.count >= 5, case .text("storage") = parts[0], let global = name(of: parts[1]),
      case .text(let key) = parts[2]
    else { return nil }
    let words = global.split(separator: " ")
    guard words.count == 2, ["torch", "torch.cuda", "torch.storage"].contains(words[0]) else { return nil }
    let type = Self.types[String(words[1])]
    guard let width = type?.width ?? Self.otherWidths[String(words[1])] else { return nil }
    var start = 0
    if parts.count > 5 {
      let view = elements(of: parts[5])
      if view.count == 3, case .integer(let offset) = view[1] { start = offset }
    }
    return Storage(type: type, width: width, key: key, start: start)
  }

  // MARK: - Values

  private func node(_ value: PickleGraph.Value?) -> PickleGraph.Node? {
    if case .node(let index)? = value { pickle.nodes[index] } else { nil }
  }

  /// Of a list or tuple.
  private func elements(of value: PickleGraph.Value) -> [PickleGraph.Value] {
    guard let node = node(value), node.kind == .list || node.kind == .tuple else { return [] }
    return node.elements
  }

  private func name(of value: PickleGraph.Value) -> String? {
    if case .global(let name) = value { name } else { nil }
  }

  private func integers(_ value: PickleGraph.Value) -> [Int]? {
    var value = value
    // torch.Size(...)
    if let call = node(value), call.kind == .call, name(of: call.elements[0]) == "torch Size" {
      value = elements(of: call.elements[1]).first ?? .none
    }
    guard let node = node(value), node.kind == .tuple || node.kind == .list, node.elements.count <= 16 else {
      return nil
    }
    let integers = node.elements.compactMap { value -> Int? in
      if case .integer(let integer) = value { integer } else { nil }
    }
    return integers.count == node.elements.count ? integers : nil
  }

  private static func printable(_ text: String) -> String {
    "'" + String(text.unicodeScalars.prefix(80).map { (32..<127).contains($0.value) ? Character($0) : "?" }) + "'"
  }
}
