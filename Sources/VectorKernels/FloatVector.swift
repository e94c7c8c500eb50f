/// A vector of Floats that fills a register of some processor: what the kernels of this module are written over.
///
/// The conformances name the concrete operations, for the generic ones of SIMD go element by element.
@usableFromInline
package protocol FloatVector: BitwiseCopyable {
  static var lanes: Int { get }
  static var zero: Self { get }
  init(repeating value: Float)
  /// From any address.
  init(from pointer: UnsafePointer<Float>)
  /// To any address.
  func store(to pointer: UnsafeMutablePointer<Float>)
  /// self += x y, rounded once.
  mutating func addProduct(_ x: Self, _ y: Self)
  static func + (x: Self, y: Self) -> Self
  static func - (x: Self, y: Self) -> Self
  static prefix func - (x: Self) -> Self
}

extension FloatVector {
  @inlinable @inline(__always)
  package static var lanes: Int { MemoryLayout<Self>.size / MemoryLayout<Float>.size }

  @inlinable @inline(__always)
  package init(from pointer: UnsafePointer<Float>) {
    self = UnsafeRawPointer(pointer).loadUnaligned(as: Self.self)
  }

  @inlinable @inline(__always)
  package func store(to pointer: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: self, as: Self.self)
  }
}

/// A register of AVX2.
extension SIMD8<Float>: FloatVector {}

/// A register of AVX-512.
extension SIMD16<Float>: FloatVector {}
