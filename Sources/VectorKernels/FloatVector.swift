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
  /// self + x y, rounded once.
  func addingProduct(_ x: Self, _ y: Self) -> Self
  static func + (x: Self, y: Self) -> Self
  static func += (x: inout Self, y: Self)
  static func - (x: Self, y: Self) -> Self
  static func * (x: Self, y: Self) -> Self
  static prefix func - (x: Self) -> Self
  /// Lane by lane self where z > 0, other elsewhere.
  func wherePositive(_ z: Self, otherwise other: Self) -> Self
  /// sums[lane] += self[lane], in Double.
  func add(to sums: UnsafeMutablePointer<Double>)
  /// The sum of the lanes, by halves.
  var laneSum: Float { get }
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
extension SIMD8<Float>: FloatVector {
  @inlinable @inline(__always)
  package func wherePositive(_ z: Self, otherwise other: Self) -> Self {
    other.replacing(with: self, where: z .> Self.zero)
  }

  @inlinable @inline(__always)
  package func add(to sums: UnsafeMutablePointer<Double>) {
    let raw = UnsafeMutableRawPointer(sums)
    let sum = raw.loadUnaligned(as: SIMD8<Double>.self) + SIMD8<Double>(self)
    raw.storeBytes(of: sum, as: SIMD8<Double>.self)
  }

  @inlinable
  package var laneSum: Float {
    @inline(__always) get {
      let four = lowHalf + highHalf
      let two = four.lowHalf + four.highHalf
      return two.x + two.y
    }
  }
}

/// A register of AVX-512.
extension SIMD16<Float>: FloatVector {
  @inlinable @inline(__always)
  package func wherePositive(_ z: Self, otherwise other: Self) -> Self {
    other.replacing(with: self, where: z .> Self.zero)
  }

  @inlinable @inline(__always)
  package func add(to sums: UnsafeMutablePointer<Double>) {
    lowHalf.add(to: sums)
    highHalf.add(to: sums + 8)
  }

  @inlinable
  package var laneSum: Float {
    @inline(__always) get { (lowHalf + highHalf).laneSum }
  }
}
