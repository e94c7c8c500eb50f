/// What is known of a pair before it is compared: whether it shows one person, and its fold. 18 bits.
package struct PairMark: Hashable, Sendable {
  package let bits: UInt32

  /// The parts of a cross validation that a mark can name.
  package static let foldLimit = 1 << 17
  package static let bitCount = 18

  package init(same: Bool, fold: Int = 0) {
    precondition((0..<Self.foldLimit).contains(fold), "Fold \(fold) of a pair")
    bits = UInt32(fold) << 1 | (same ? 1 : 0)
  }

  package init(bits: UInt32) { self.bits = bits }

  package var same: Bool { bits & 1 == 1 }
  package var fold: Int { Int(bits >> 1) }
}
