import MPI
import NeuralNetwork
import VectorKernels
package import Weights

/// Moves rows between their owners and rank 0, which reads and writes the files: piece by piece, so that the class weight
/// never exists whole.
extension ShardedClassifier {
  /// Floats of a message.
  private static let messageCount = 1 << 20

  package func restore(_ rows: ClassRows?) throws {
    precondition((rows != nil) == (communicator.rank == 0), "Rank 0 reads for all")
    let names = classWeight.states.map(\.name)
    try rows?.expect(count: classWeight.classCount, width: classWeight.width, states: names)
    let buffers = (0...names.count).map { _ in AlignedMemory(count: Self.messageCount) }
    try forEachPiece { owner, piece in
      let count = piece.count * classWeight.width
      if communicator.rank == owner {
        let values = memory(of: piece, in: classWeight.value)
        let states = classWeight.states.map {
          OptimizerState(name: $0.name, values: memory(of: piece, in: $0.values))
        }
        if let rows {
          try rows.copy(piece, values: values, states: states)
        } else {
          for memory in [values] + states.map(\.values) { try communicator.receive(memory, from: 0) }
        }
      } else if let rows {
        let memories = buffers.map { UnsafeMutableBufferPointer(rebasing: $0.elements[0..<count]) }
        let states = zip(names, memories.dropFirst()).map { OptimizerState(name: $0, values: $1) }
        try rows.copy(piece, values: memories[0], states: states)
        for memory in memories { try communicator.send(UnsafeBufferPointer(memory), to: owner) }
      }
    }
  }

  package func streamRows(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    classWeight.project()
    let buffer = AlignedMemory(count: Self.messageCount)
    try forEachPiece { owner, piece in
      if communicator.rank == owner {
        let values = memory(of: piece, in: classWeight.value)
        if owner == 0 {
          try body(UnsafeRawBufferPointer(values))
        } else {
          try communicator.send(UnsafeBufferPointer(values), to: 0)
        }
      } else if communicator.rank == 0 {
        let values = UnsafeMutableBufferPointer(rebasing: buffer.elements[0..<(piece.count * classWeight.width)])
        try communicator.receive(values, from: owner)
        try body(UnsafeRawBufferPointer(values))
      }
    }
  }

  /// All classes in their order, in pieces that fit a message, with the rank that holds them.
  private func forEachPiece(_ body: (_ owner: Int, _ piece: Range<Int>) throws -> Void) throws {
    for owner in 0..<communicator.size {
      let classes = Self.classes(of: owner, among: communicator.size, classCount: classWeight.classCount)
      for chunk in Chunks(of: classes.count, limit: max(Self.messageCount / classWeight.width, 1)) {
        try body(owner, (classes.lowerBound + chunk.lowerBound)..<(classes.lowerBound + chunk.upperBound))
      }
    }
  }

  /// The part of this rank's memory that holds `classes`.
  private func memory(
    of classes: Range<Int>, in memory: UnsafeMutableBufferPointer<Float>
  ) -> UnsafeMutableBufferPointer<Float> {
    let first = classes.lowerBound - classWeight.classes.lowerBound
    return UnsafeMutableBufferPointer(
      rebasing: memory[(first * classWeight.width)..<((first + classes.count) * classWeight.width)])
  }
}
