import MPI
import VectorKernels
package import Weights

/// Moves rows between their owners and rank 0, which reads and writes the files: piece by piece, so that the class weight
/// never exists whole.
extension ShardedClassifier {
  /// Floats of a message.
  private static let messageCount = 1 << 20

  package func restore(_ rows: ClassRows?) throws {
    precondition((rows != nil) == (communicator.rank == 0), "Rank 0 reads for all")
    try rows?.expect(count: head.classCount, width: head.width)
    let buffers = (AlignedMemory(count: Self.messageCount), AlignedMemory(count: Self.messageCount))
    try forEachPiece { owner, piece in
      let count = piece.count * head.width
      if communicator.rank == owner {
        let values = memory(of: piece, in: head.classWeight.value)
        let momenta = memory(of: piece, in: head.classWeight.momentum)
        if let rows {
          try rows.copy(piece, values: values, momenta: momenta)
        } else {
          try communicator.receive(values, from: 0)
          try communicator.receive(momenta, from: 0)
        }
      } else if let rows {
        let values = UnsafeMutableBufferPointer(rebasing: buffers.0.elements[0..<count])
        let momenta = UnsafeMutableBufferPointer(rebasing: buffers.1.elements[0..<count])
        try rows.copy(piece, values: values, momenta: momenta)
        try communicator.send(UnsafeBufferPointer(values), to: owner)
        try communicator.send(UnsafeBufferPointer(momenta), to: owner)
      }
    }
  }

  package func streamRows(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    head.project()
    let buffer = AlignedMemory(count: Self.messageCount)
    try forEachPiece { owner, piece in
      if communicator.rank == owner {
        let values = memory(of: piece, in: head.classWeight.value)
        if owner == 0 {
          try body(UnsafeRawBufferPointer(values))
        } else {
          try communicator.send(UnsafeBufferPointer(values), to: 0)
        }
      } else if communicator.rank == 0 {
        let values = UnsafeMutableBufferPointer(rebasing: buffer.elements[0..<(piece.count * head.width)])
        try communicator.receive(values, from: owner)
        try body(UnsafeRawBufferPointer(values))
      }
    }
  }

  /// All classes in their order, in pieces that fit a message, with the rank that holds them.
  private func forEachPiece(_ body: (_ owner: Int, _ piece: Range<Int>) throws -> Void) throws {
    for owner in 0..<communicator.size {
      let classes = Self.classes(of: owner, among: communicator.size, classCount: head.classCount)
      for chunk in Chunks(of: classes.count, limit: max(Self.messageCount / head.width, 1)) {
        try body(owner, (classes.lowerBound + chunk.lowerBound)..<(classes.lowerBound + chunk.upperBound))
      }
    }
  }

  /// The part of this rank's memory that holds `classes`.
  private func memory(
    of classes: Range<Int>, in memory: UnsafeMutableBufferPointer<Float>
  ) -> UnsafeMutableBufferPointer<Float> {
    let first = classes.lowerBound - head.classes.lowerBound
    return UnsafeMutableBufferPointer(rebasing: memory[(first * head.width)..<((first + classes.count) * head.width)])
  }
}
