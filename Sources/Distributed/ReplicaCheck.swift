import Files
package import MPI
package import NeuralNetwork

/// Compares the replicas: every parameter, running statistic and optimizer's state must be the same to the bit on all ranks.
package struct ReplicaCheck {
  /// Replicas that have drifted apart.
  package struct Failure: Error, Equatable, CustomStringConvertible {
    package let step: Int
    package let parameter: String
    package let ranks: [Int]

    package init(step: Int, parameter: String, ranks: [Int]) {
      self.step = step
      self.parameter = parameter
      self.ranks = ranks
    }

    package var description: String {
      "Step \(step): \(parameter) on rank \(ranks.map(String.init).joined(separator: ", ")) differs from rank 0's. "
        + "The ranks no longer train the same network: check that all run the same program on the same kind of processor."
    }
  }

  private let parts: [(name: String, memory: UnsafeMutableBufferPointer<Float>)]

  /// Compares the parameters of `stores`. The class weight must be materialized before `run`.
  package init(_ stores: [ParameterStore]) {
    parts = stores.flatMap(\.parameters).flatMap { parameter in
      [(parameter.name, parameter.value)]
        + parameter.states.map { ("\($0.name) of \(parameter.name)", $0.values) }
    }
  }

  /// Every rank calls it; all throw the same `Failure`, which names the first parameter that differs.
  package func run(_ communicator: Communicator, step: Int) throws {
    guard communicator.size > 1 else { return }
    let digests = parts.map { Digest(of: UnsafeRawBufferPointer($0.memory)) }
    let mine = digests.flatMap { [Int64(bitPattern: $0.high), Int64(bitPattern: $0.low)] }
    let all = try communicator.allGather(mine, counts: Array(repeating: mine.count, count: communicator.size))
    for (index, part) in parts.enumerated() {
      func digest(_ rank: Int) -> ArraySlice<Int64> { all[(rank * mine.count + 2 * index)...].prefix(2) }
      let differing = (1..<communicator.size).filter { !digest($0).elementsEqual(digest(0)) }
      if !differing.isEmpty { throw Failure(step: step, parameter: part.name, ranks: differing) }
    }
  }
}
