import Foundation

// Collectives over values, for the few bytes that are no tensor: counts, losses, names. They allocate.
extension Communicator {
  /// The value of rank `root`.
  ///
  /// The corresponding C function is `MPI_Bcast`.
  package func broadcast<S: MPIScalar>(_ value: S, from root: Int = 0) throws(MPIError) -> S {
    var value = value
    try withUnsafeMutablePointer(to: &value) { (pointer) throws(MPIError) in
      try broadcast(UnsafeMutableBufferPointer(start: pointer, count: 1), from: root)
    }
    return value
  }

  /// The bytes of rank `root`; those that other ranks pass do not matter, nor does their number.
  ///
  /// The corresponding C function is `MPI_Bcast`.
  package func broadcast(bytes: [UInt8], from root: Int = 0) throws(MPIError) -> [UInt8] {
    let count = try broadcast(bytes.count, from: root)
    var result = rank == root ? bytes : [UInt8](repeating: 0, count: count)
    try result.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in try broadcast(buffer, from: root) }
    return result
  }

  /// The reduction of the ranks' values.
  ///
  /// The corresponding C function is `MPI_Allreduce`.
  package func allReduce<S: MPIScalar>(_ value: S, _ reduction: Reduction = .sum) throws(MPIError) -> S {
    var value = value
    try withUnsafeMutablePointer(to: &value) { (pointer) throws(MPIError) in
      try allReduce(UnsafeMutableBufferPointer(start: pointer, count: 1), reduction)
    }
    return value
  }

  /// Element by element the reduction of the ranks' arrays (N), which are of one length.
  ///
  /// The corresponding C function is `MPI_Allreduce`.
  package func allReduce<S: MPIScalar>(_ values: [S], _ reduction: Reduction = .sum) throws(MPIError) -> [S] {
    var values = values
    try values.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in try allReduce(buffer, reduction) }
    return values
  }

  /// Element by element the sum of the arrays (N) of the ranks before this one; zeros on rank 0.
  ///
  /// The corresponding C function is `MPI_Exscan`.
  package func exclusiveSum<S: MPIScalar>(_ values: [S]) throws(MPIError) -> [S] {
    var values = values
    try values.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in try exclusiveSum(buffer) }
    // The library leaves rank 0's buffer as it was.
    return rank == 0 ? [S](repeating: 0, count: values.count) : values
  }

  /// The values of all ranks, by rank (size).
  ///
  /// The corresponding C function is `MPI_Allgatherv`.
  package func allGather<S: MPIScalar>(_ value: S) throws(MPIError) -> [S] {
    try allGather([value], counts: [Int](repeating: 1, count: size))
  }

  /// The bytes of all ranks, by rank; every rank may pass another number of them.
  ///
  /// The corresponding C function is `MPI_Allgatherv`.
  package func allGather(bytes: [UInt8]) throws(MPIError) -> [[UInt8]] {
    let blocks = Blocks(counts: try allGather(bytes.count))
    let joined = try allGather(bytes, counts: blocks.counts)
    return (0..<size).map { Array(joined[blocks.range($0)]) }
  }

  /// The arrays of all ranks (counts[rank]) as one (sum of counts), by rank.
  ///
  /// The corresponding C function is `MPI_Allgatherv`.
  package func allGather<S: MPIScalar>(_ values: [S], counts: [Int]) throws(MPIError) -> [S] {
    var result = [S](repeating: 0, count: counts.reduce(0, +))
    try result.withUnsafeMutableBufferPointer { (receive) throws(MPIError) in
      try values.withUnsafeBufferPointer { (send) throws(MPIError) in
        try allGather(send, into: receive, counts: counts)
      }
    }
    return result
  }

  /// The values of all ranks, by rank; they travel as JSON.
  ///
  /// The corresponding C function is `MPI_Allgatherv`.
  package func allGather<Value: Codable>(encoding value: Value) throws -> [Value] {
    try allGather(bytes: Array(JSONEncoder().encode(value))).map {
      try JSONDecoder().decode(Value.self, from: Data($0))
    }
  }

  /// The value of rank `root`, which travels as JSON; those that other ranks pass do not matter.
  ///
  /// The corresponding C function is `MPI_Bcast`.
  package func broadcast<Value: Codable>(encoding value: Value?, from root: Int = 0) throws -> Value {
    let bytes = rank == root ? Array(try JSONEncoder().encode(value)) : []
    return try JSONDecoder().decode(Value.self, from: Data(broadcast(bytes: bytes, from: root)))
  }
}
