import Files
import Foundation

/// A tensor whose values are known before any image is: row-major.
struct OnnxConstant {
  enum Numbers {
    case floats([Float])
    /// Shapes, axes, indices.
    case integers([Int])
  }

  var shape: [Int]
  var numbers: Numbers

  var count: Int {
    switch numbers {
    case .floats(let values): values.count
    case .integers(let values): values.count
    }
  }

  var floats: [Float]? { if case .floats(let values) = numbers { values } else { nil } }
  var integers: [Int]? { if case .integers(let values) = numbers { values } else { nil } }
}

/// The tensors of an ONNX file (`TensorProto`), decoded when they are asked for.
///
/// Numbers are in the file, or in another one beside it (`external_data`), which is followed no further than the model's
/// own folder.
final class OnnxTensors {
  private let path: String
  private let tensors: [String: Onnx_TensorProto]
  /// Files beside the model that were opened.
  private var others: [String: MappedFile] = [:]

  init(_ tensors: [Onnx_TensorProto], path: String) throws {
    self.path = path
    self.tensors = Dictionary(tensors.map { ($0.name, $0) }) { first, _ in first }
    guard self.tensors.count == tensors.count else {
      throw ModelFileError(path: path, reason: "is damaged: two of its tensors have one name")
    }
  }

  func contains(_ name: String) -> Bool { tensors[name] != nil }

  /// - Throws: `ModelFileError` naming the tensor where its numbers are missing or of a type that is not read.
  func constant(_ name: String) throws -> OnnxConstant? { try tensors[name].map(constant) }

  /// F32, F64, F16 and BF16 as Floats; I64, I32 and BOOL as integers.
  func constant(of tensor: Onnx_TensorProto) throws -> OnnxConstant {
    let shape = try shape(of: tensor)
    let count = shape.reduce(1, *)
    let isRaw = tensor.dataLocation == .external || !tensor.rawData.isEmpty
    let numbers: OnnxConstant.Numbers
    switch Onnx_TensorProto.DataType(rawValue: Int(tensor.dataType)) {
    case .float:
      numbers = .floats(isRaw ? try raw(tensor, count, Float.self) { $0 } : tensor.floatData)
    case .double:
      let values = isRaw ? try raw(tensor, count, Double.self) { $0 } : tensor.doubleData
      if let value = values.first(where: { $0.isFinite && !Float($0).isFinite }) {
        throw failure(tensor, "holds \(value), which is too large for a Float")
      }
      numbers = .floats(values.map { Float($0) })
    case .float16:
      numbers = .floats(
        try halves(tensor, count, isRaw).map { Float(Float16(bitPattern: $0)) })
    case .bfloat16:
      // A bfloat16 is the upper half of a Float.
      numbers = .floats(try halves(tensor, count, isRaw).map { Float(bitPattern: UInt32($0) << 16) })
    case .int64:
      numbers = .integers(isRaw ? try raw(tensor, count, Int64.self) { Int($0) } : tensor.int64Data.map { Int($0) })
    case .int32:
      numbers = .integers(isRaw ? try raw(tensor, count, Int32.self) { Int($0) } : tensor.int32Data.map { Int($0) })
    case .bool:
      numbers = .integers(isRaw ? try raw(tensor, count, UInt8.self) { Int($0) } : tensor.int32Data.map { Int($0) })
    case let type:
      let name = type.map { "\($0)" } ?? "type \(tensor.dataType)"
      throw failure(tensor, "holds numbers of \(name), and floating-point ones are needed: is the model quantized?")
    }
    let constant = OnnxConstant(shape: shape, numbers: numbers)
    guard constant.count == count else {
      throw failure(tensor, "has \(constant.count) numbers for a shape of \(shape): the file is cut off or damaged")
    }
    return constant
  }

  private func halves(_ tensor: Onnx_TensorProto, _ count: Int, _ isRaw: Bool) throws -> [UInt16] {
    isRaw
      ? try raw(tensor, count, UInt16.self) { $0 } : tensor.int32Data.map { UInt16(truncatingIfNeeded: $0) }
  }

  private func shape(of tensor: Onnx_TensorProto) throws -> [Int] {
    var count = 1
    for extent in tensor.dims {
      let (product, overflow) = count.multipliedReportingOverflow(by: Int(extent))
      guard extent >= 0, !overflow, product <= 1 << 40 else {
        throw failure(tensor, "has a shape of \(tensor.dims), which fits no file")
      }
      count = product
    }
    return tensor.dims.map { Int($0) }
  }

  /// `count` little-endian numbers out of the tensor's bytes.
  private func raw<Stored: BitwiseCopyable, Value>(
    _ tensor: Onnx_TensorProto, _ count: Int, _ type: Stored.Type, _ convert: (Stored) -> Value
  ) throws -> [Value] {
    let width = MemoryLayout<Stored>.size
    func read(_ bytes: UnsafeRawBufferPointer) throws -> [Value] {
      guard bytes.count == count * width else {
        throw failure(
          tensor, "has \(bytes.count) bytes, and a shape of \(tensor.dims) needs \(count * width): cut off or damaged")
      }
      return (0..<count).map { convert(bytes.loadUnaligned(fromByteOffset: $0 * width, as: type)) }
    }
    guard tensor.dataLocation == .external else { return try tensor.rawData.withUnsafeBytes(read) }
    let (file, range) = try external(tensor, bytes: count * width)
    return try withExtendedLifetime(file) { try read(UnsafeRawBufferPointer(rebasing: file.bytes[range])) }
  }

  // MARK: - Files beside the model

  private func external(_ tensor: Onnx_TensorProto, bytes: Int) throws -> (MappedFile, Range<Int>) {
    var entries: [String: String] = [:]
    for entry in tensor.externalData { entries[entry.key] = entry.value }
    guard let location = entries["location"], !location.isEmpty else {
      throw failure(tensor, "is said to be in another file, and in none")
    }
    guard !FilePath.isAbsolute(location), !FilePath.climbs(location), !location.utf8.contains(0) else {
      throw failure(
        tensor, "is said to be in '\(location.printableName)': files beside the model alone are read. Put it there")
    }
    let file = try other(location, tensor)
    let (offset, length) = (Int(entries["offset"] ?? "0"), Int(entries["length"] ?? "\(bytes)"))
    guard let offset, let length, offset >= 0, length == bytes, offset <= file.bytes.count,
      length <= file.bytes.count - offset
    else {
      throw failure(
        tensor,
        "needs \(bytes) bytes from byte \(entries["offset"] ?? "0") on of '\(location.printableName)', which has "
          + "\(file.bytes.count): it is cut off, or another model's")
    }
    return (file, offset..<(offset + length))
  }

  private func other(_ location: String, _ tensor: Onnx_TensorProto) throws -> MappedFile {
    if let file = others[location] { return file }
    let folder = FilePath.resolved(FilePath.split(path).folder)
    let other = FilePath.resolved(FilePath.join(folder, location))
    guard other.utf8.starts(with: (folder == "/" ? folder : folder + "/").utf8) else {
      throw failure(
        tensor,
        "is in '\(location.printableName)', a link out of the model's folder: put the file itself beside the model")
    }
    do {
      let file = try MappedFile(path: other)
      others[location] = file
      return file
    } catch {
      throw failure(
        tensor, "is in '\(location.printableName)', which must stand beside the model: \(error.reason)")
    }
  }

  private func failure(_ tensor: Onnx_TensorProto, _ reason: String) -> ModelFileError {
    ModelFileError(path: path, reason: "cannot be read: its tensor '\(tensor.name.printableName)' \(reason)")
  }
}
