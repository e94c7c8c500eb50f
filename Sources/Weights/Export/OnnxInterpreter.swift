import Files
import Foundation
import NeuralNetwork

/// Computes what an ONNX file says, operator by operator in plain Swift: the proof that a written file means what the
/// network computes. It knows the operators that `OnnxModel` writes, and no other; it shares no code with the layers.
///
/// Slow (a few GFLOP/s a thread), meant for an image or two.
struct OnnxInterpreter {
  /// Row-major.
  struct Value {
    var shape: [Int]
    var values: [Float]
  }

  private let path: String
  private let graph: Onnx_GraphProto
  private let constants: [String: Value]

  /// Reads a file.
  ///
  /// - Throws: `FileError`, or `ExportError` where it is not such a model.
  init(path: String) throws {
    self.path = path
    guard let data = FileManager.default.contents(atPath: path) else { throw FileError("read", path) }
    let model: Onnx_ModelProto
    do {
      model = try Onnx_ModelProto(serializedBytes: data)
    } catch { throw ExportError(path, "it is no ONNX model: \(error)") }
    guard model.opsetImport.contains(where: { $0.domain.isEmpty && $0.version == OnnxModel.operatorSet }) else {
      throw ExportError(path, "it does not use operator set \(OnnxModel.operatorSet)")
    }
    graph = model.graph
    var constants: [String: Value] = [:]
    for tensor in graph.initializer { constants[tensor.name] = try Self.value(tensor, path) }
    self.constants = constants
  }

  /// The value of the graph's single output, given that of its single input.
  ///
  /// - Throws: `ExportError` naming the operator that cannot be computed.
  func run(_ input: Value) throws -> Value {
    guard graph.input.count == 1, graph.output.count == 1 else {
      throw ExportError(path, "it has \(graph.input.count) inputs and \(graph.output.count) outputs, not one of each")
    }
    var lastUse: [String: Int] = [:]
    for (index, node) in graph.node.enumerated() { for name in node.input { lastUse[name] = index } }
    var values = [graph.input[0].name: input]
    for (index, node) in graph.node.enumerated() {
      let inputs = try node.input.map { name in
        guard let value = values[name] ?? constants[name] else {
          throw ExportError(path, "operator '\(node.name)' reads '\(name)', which nothing makes before it")
        }
        return value
      }
      guard node.output.count == 1, let operation = Self.operators[node.opType],
        let result = operation(node, inputs)
      else {
        let shapes = inputs.map { "\($0.shape)" }.joined(separator: ", ")
        throw ExportError(path, "operator '\(node.name)' (\(node.opType) of \(shapes)) cannot be computed here")
      }
      for name in node.input where lastUse[name] == index { values[name] = nil }
      values[node.output[0]] = result
    }
    guard let output = values[graph.output[0].name] else {
      throw ExportError(path, "nothing makes its output '\(graph.output[0].name)'")
    }
    return output
  }

  /// Nil for what an operator does not take.
  private static let operators: [String: @Sendable (Onnx_NodeProto, [Value]) -> Value?] = [
    "Add": { _, inputs in inputs.count == 2 ? broadcast(inputs[0], inputs[1], +) : nil },
    "BatchNormalization": batchNormalization,
    // Pixels are handed over as the Floats that Cast makes of them.
    "Cast": { node, inputs in
      node.int("to") == Int64(Onnx_TensorProto.DataType.float.rawValue) ? inputs.first : nil
    },
    "Conv": convolution,
    "Div": { _, inputs in inputs.count == 2 ? broadcast(inputs[0], inputs[1], /) : nil },
    "Flatten": { node, inputs in
      guard inputs.count == 1, node.int("axis") == 1, let batch = inputs[0].shape.first, batch > 0 else { return nil }
      return Value(shape: [batch, inputs[0].values.count / batch], values: inputs[0].values)
    },
    "Gemm": gemm,
    "PRelu": { _, inputs in inputs.count == 2 ? broadcast(inputs[0], inputs[1]) { $0 < 0 ? $0 * $1 : $0 } : nil },
    "ReduceSumSquare": sumOfSquares,
    "Sqrt": { _, inputs in
      inputs.first.map { Value(shape: $0.shape, values: $0.values.map { $0.squareRoot() }) }
    },
    "Sub": { _, inputs in inputs.count == 2 ? broadcast(inputs[0], inputs[1], -) : nil },
  ]

  private static func value(_ tensor: Onnx_TensorProto, _ path: String) throws -> Value {
    let shape = tensor.dims.map { Int($0) }
    let isPossible = shape.allSatisfy { $0 > 0 && $0 <= 1 << 31 }
    let (count, overflows) = shape.reduce((1, false)) { product, extent in
      let (result, overflow) = product.0.multipliedReportingOverflow(by: extent)
      return (result, product.1 || overflow)
    }
    guard tensor.dataType == Int32(Onnx_TensorProto.DataType.float.rawValue), isPossible, !overflows,
      tensor.rawData.count % 4 == 0, tensor.rawData.count / 4 == count
    else { throw ExportError(path, "its tensor '\(tensor.name)' is not \(shape) Floats") }
    let values = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      tensor.rawData.copyBytes(to: UnsafeMutableRawBufferPointer(buffer))
      initialized = count
    }
    return Value(shape: shape, values: values)
  }
}
