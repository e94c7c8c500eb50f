/// As what gradients travel between ranks. Sums are made in Float either way.
package enum GradientType: String, Codable, CaseIterable, Sendable {
  case float32
  /// Half the bytes: each rank's gradient, and their sum, are rounded to 8 bits of precision.
  case bfloat16

  /// Bytes of an element under way.
  package var bytes: Int { self == .float32 ? 4 : 2 }
}
