import VectorKernels

/// Memory that an operation needs only while it runs, shared by all operations of a network.
///
/// Operations reserve while they are made; the pointers are valid after that, and move only when another plan
/// reserves more.
package final class Scratch {
  enum Slot: Int, CaseIterable {
    /// oneDNN's own scratchpad.
    case primitive
    /// The same of a gradient that is summed in pieces, while another thread may still be at the chain's convolution.
    case gradientPrimitive
    /// A weight, or its gradient, in the layout that a primitive chose.
    case blockedWeight
    /// For each thread the sum of a weight's gradients, and the one of a piece.
    case gradientSums
    /// A gradient on its way back to the plain layout.
    case plainWeight
    /// Weights with groups of channels joined (see `ConvolutionWeight`).
    case joinedWeight
  }

  private var memories = Slot.allCases.map { _ in AlignedMemory(count: 0) }

  package init() {}

  package var bytes: Int { memories.reduce(0) { $0 + $1.bytes } }

  func reserve(_ slot: Slot, bytes: Int) {
    if memories[slot.rawValue].bytes < bytes { memories[slot.rawValue] = AlignedMemory(bytes: bytes) }
  }

  subscript(slot: Slot) -> UnsafeMutablePointer<Float> {
    guard let start = memories[slot.rawValue].elements.baseAddress else {
      preconditionFailure("Scratch \(slot) was never reserved")
    }
    return start
  }
}
