/// The element types of safetensors files that have whole bytes, spelled as the files spell them.
///
/// The format also knows types of 4 and 6 bits (`F4`, `F6_E2M3`, `F6_E3M2`); no network here uses them.
package enum TensorType: String, Sendable, CaseIterable {
  case bool = "BOOL"
  case uint8 = "U8"
  case int8 = "I8"
  case float8E5M2 = "F8_E5M2"
  case float8E4M3 = "F8_E4M3"
  case int16 = "I16"
  case uint16 = "U16"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case int32 = "I32"
  case uint32 = "U32"
  case float32 = "F32"
  case int64 = "I64"
  case uint64 = "U64"
  case float64 = "F64"

  /// Bytes of one element.
  package var width: Int {
    switch self {
    case .bool, .uint8, .int8, .float8E5M2, .float8E4M3: 1
    case .int16, .uint16, .float16, .bfloat16: 2
    case .int32, .uint32, .float32: 4
    case .int64, .uint64, .float64: 8
    }
  }
}

/// A Swift number that `SafetensorsWriter` takes.
package protocol TensorElement: BitwiseCopyable {
  static var tensorType: TensorType { get }
}

extension Float: TensorElement { package static var tensorType: TensorType { .float32 } }
extension Double: TensorElement { package static var tensorType: TensorType { .float64 } }
extension Int64: TensorElement { package static var tensorType: TensorType { .int64 } }
extension Int32: TensorElement { package static var tensorType: TensorType { .int32 } }
extension UInt8: TensorElement { package static var tensorType: TensorType { .uint8 } }
