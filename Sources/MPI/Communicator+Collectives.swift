import COpenMPI

// Buffers have the same length on every rank unless counts are passed. Lengths past `maximumCount` travel in chunks.
extension Communicator {
  /// Copies `buffer` (N) from rank `root` to every rank.
  ///
  /// Throws if there is no such rank. The corresponding C function is `MPI_Bcast`.
  package func broadcast<S: MPIScalar>(_ buffer: UnsafeMutableBufferPointer<S>, from root: Int = 0) throws(MPIError) {
    for chunk in Chunks(of: buffer.count, limit: maximumCount) {
      let data = buffer.baseAddress! + chunk.lowerBound
      try check(
        "MPI_Bcast", chunk.count, of: S.self, MPI_Bcast(data, CInt(chunk.count), S.datatype.raw, CInt(root), raw))
    }
  }

  /// Replaces each element of `buffer` (N) by its reduction over all ranks; every rank gets the same bits.
  ///
  /// In which order Floats and Doubles are added is the library's choice: for weights and losses use sums of a fixed order
  /// (`orderedSum`).
  /// The corresponding C function is `MPI_Allreduce`.
  package func allReduce<S: MPIScalar>(
    _ buffer: UnsafeMutableBufferPointer<S>, _ reduction: Reduction = .sum
  ) throws(MPIError) {
    for chunk in Chunks(of: buffer.count, limit: maximumCount) {
      let data = buffer.baseAddress! + chunk.lowerBound
      try check(
        "MPI_Allreduce", chunk.count, of: S.self,
        MPI_Allreduce(MPI_IN_PLACE, data, CInt(chunk.count), S.datatype.raw, reduction.raw, raw))
    }
  }

  /// Replaces each element of `buffer` (N) by its sum over the ranks before this one; on rank 0 it stays.
  ///
  /// The corresponding C function is `MPI_Exscan`.
  func exclusiveSum<S: MPIScalar>(_ buffer: UnsafeMutableBufferPointer<S>) throws(MPIError) {
    for chunk in Chunks(of: buffer.count, limit: maximumCount) {
      let data = buffer.baseAddress! + chunk.lowerBound
      try check(
        "MPI_Exscan", chunk.count, of: S.self,
        MPI_Exscan(MPI_IN_PLACE, data, CInt(chunk.count), S.datatype.raw, MPI_SUM, raw))
    }
  }

  /// Puts the `send` buffers of all ranks one after another, by rank, into every rank's `receive`.
  ///
  /// `send` (counts[rank]), `receive` (sum of counts); `counts` (size) is the same on every rank. `send` may be this
  /// rank's own block of `receive`. The corresponding C function is `MPI_Allgatherv`.
  package func allGather<S: MPIScalar>(
    _ send: UnsafeBufferPointer<S>, into receive: UnsafeMutableBufferPointer<S>, counts: [Int]
  ) throws(MPIError) {
    let blocks = Blocks(counts: counts)
    precondition(counts.count == size, "\(counts.count) counts for \(size) ranks")
    precondition(send.count == counts[rank], "Rank \(rank) sends \(send.count) elements where counts are \(counts)")
    precondition(receive.count == blocks.total, "\(receive.count) elements to receive counts \(counts)")
    guard blocks.total > 0 else { return }

    let own = receive.baseAddress! + blocks.starts[rank]
    let isInPlace = send.baseAddress == UnsafePointer(own)
    if blocks.total <= maximumCount {
      try check(
        "MPI_Allgatherv", blocks.total, of: S.self,
        MPI_Allgatherv(
          isInPlace ? UnsafeRawPointer(MPI_IN_PLACE) : UnsafeRawPointer(send.baseAddress), CInt(send.count),
          S.datatype.raw, receive.baseAddress, counts.map(CInt.init), blocks.starts.map(CInt.init),
          S.datatype.raw, raw))
    } else {
      // Displacements are 32-bit too, so chunks of a gather cannot reach the far blocks.
      if !isInPlace, !send.isEmpty { own.update(from: send.baseAddress!, count: send.count) }
      for root in 0..<size {
        try broadcast(UnsafeMutableBufferPointer(rebasing: receive[blocks.range(root)]), from: root)
      }
    }
  }
}
