/// Element type of gradients on the wire, between ranks. They are added in Float either way.
package enum GradientType: String, Codable, CaseIterable, Sendable {
  case float32
  /// Half the bytes: each rank's gradient, and their sum, are rounded to 8 bits of precision.
  case bfloat16

  /// Bytes of an element on the wire.
  package var bytes: Int { self == .float32 ? 4 : 2 }
}
