import Files
import Foundation

/// An ONNX file of one image in: read, checked, its nodes in an order in which they can run.
///
/// Operator set 7 and later: the operators that networks here are made of have meant the same since.
/// Format: https://github.com/onnx/onnx, onnx/onnx.proto.
struct OnnxFile {
  let path: String
  let nodes: [Onnx_NodeProto]
  /// The images.
  let input: Onnx_ValueInfoProto
  let outputs: [String]
  let tensors: OnnxTensors

  /// Protobuf itself ends at 2 GiB; a backbone of the largest sizes has 0.6.
  private static let maximumBytes = 1 << 30
  /// The largest network exported without folding has 2,000.
  private static let maximumNodes = 1 << 14
  private static let oldestOperatorSet: Int64 = 7

  /// - Throws: `DataError` where it cannot be opened, `ModelFileError` where it is not such a file.
  init(path: String) throws {
    self.path = path
    let model = try Self.read(path)
    let graph = model.graph
    func failure(_ reason: String) -> ModelFileError { ModelFileError(path: path, reason: reason) }
    guard !graph.node.isEmpty else { throw failure("holds no graph of ONNX: it is cut off, or another file") }
    guard graph.node.count <= Self.maximumNodes else {
      throw failure("has \(graph.node.count) nodes, more than the \(Self.maximumNodes) of any network here")
    }
    let version = model.opsetImport.first { $0.domain.isEmpty || $0.domain == "ai.onnx" }?.version ?? 0
    guard version >= Self.oldestOperatorSet else {
      throw failure(
        "uses operator set \(version) of ONNX, and \(Self.oldestOperatorSet) and later are read: export it again")
    }
    if let node = graph.node.first(where: { $0.opType.contains("Quantize") || Self.quantized.contains($0.opType) }) {
      throw failure("is quantized: \(node.title). Give the model of floating-point numbers that it was made of")
    }
    let tensors = try OnnxTensors(graph.initializer, path: path)
    // Before IR version 4 every initializer was an input, too.
    let inputs = graph.input.filter { !tensors.contains($0.name) }
    guard inputs.count == 1 else {
      let names = WeightReport.list(inputs.map { "'\($0.name)'" })
      throw failure("takes \(inputs.count) inputs\(inputs.isEmpty ? "" : ": \(names)"), and one, the images, is needed")
    }
    let image = inputs[0].name
    nodes = try Self.ordered(graph.node, known: { tensors.contains($0) || $0 == image }, failure)
    (self.tensors, input, outputs) = (tensors, inputs[0], graph.output.map(\.name))
  }

  private static let quantized: Set = ["QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger"]

  private static func read(_ path: String) throws -> Onnx_ModelProto {
    let file = try MappedFile(path: path)
    return try withExtendedLifetime(file) {
      guard let start = file.bytes.baseAddress else { throw ModelFileError(path: path, reason: "is empty") }
      guard file.bytes.count <= maximumBytes else {
        throw ModelFileError(path: path, reason: "has \(file.bytes.count.grouped) bytes, more than any network here")
      }
      if let kind = ForeignFile.kind(of: file.bytes), file.bytes[0] != ForeignFile.onnxStart {
        throw ModelFileError(path: path, reason: "is no ONNX model: \(kind)")
      }
      try OnnxStructure.check(file.bytes, path: path)
      let data = Data(
        bytesNoCopy: UnsafeMutableRawPointer(mutating: start), count: file.bytes.count, deallocator: .none)
      do {
        return try Onnx_ModelProto(serializedBytes: data)
      } catch {
        throw OnnxStructure.damage(path, "\(error)")
      }
    }
  }

  /// The nodes so that each comes behind those whose values it reads (Kahn 1962).
  private static func ordered(
    _ nodes: [Onnx_NodeProto], known: (String) -> Bool, _ failure: (String) -> ModelFileError
  ) throws -> [Onnx_NodeProto] {
    var makers: [String: Int] = [:]
    for (index, node) in nodes.enumerated() {
      for output in node.output where !output.isEmpty {
        guard makers.updateValue(index, forKey: output) == nil, !known(output) else {
          throw failure("is damaged: the value '\(output)' is made twice, the second time by \(node.title)")
        }
      }
    }
    var missing = [Int](repeating: 0, count: nodes.count)
    var readers = [[Int]](repeating: [], count: nodes.count)
    for (index, node) in nodes.enumerated() {
      for input in node.input where !input.isEmpty && !known(input) {
        guard let maker = makers[input] else {
          throw failure(
            "is incomplete: \(node.title) reads '\(input)', and neither a tensor nor a node of the file has that name")
        }
        missing[index] += 1
        readers[maker].append(index)
      }
    }
    var order = nodes.indices.filter { missing[$0] == 0 }
    var next = 0
    while next < order.count {
      for reader in readers[order[next]] {
        missing[reader] -= 1
        if missing[reader] == 0 { order.append(reader) }
      }
      next += 1
    }
    guard order.count == nodes.count else {
      let waiting = nodes.indices.filter { missing[$0] > 0 }.map { nodes[$0].title }
      throw failure("is damaged: its nodes wait for one another in a circle: \(WeightReport.list(waiting))")
    }
    return order.map { nodes[$0] }
  }
}

extension Onnx_NodeProto {
  /// For messages: 'conv1' (Conv).
  var title: String {
    let kind = domain.isEmpty || domain == "ai.onnx" ? opType : "\(domain) \(opType)"
    return "node '\((name.isEmpty ? output.first ?? "" : name).prefix(120))' (\(kind.prefix(40)))".printableName
  }

  func int(_ name: String) -> Int64? { attribute.first { $0.name == name && $0.type == .int }?.i }
  func ints(_ name: String) -> [Int64]? { attribute.first { $0.name == name && $0.type == .ints }?.ints }
  func float(_ name: String) -> Float? { attribute.first { $0.name == name && $0.type == .float }?.f }
}
