import COpenMPI

// Sums of a few numbers whose bits depend on the ranks' numbers alone: `MPI_Allreduce` promises no order of additions, and
// another library or network would have another.
extension Communicator {
  /// Replaces each element of `values` (N) by its sum over all ranks, added in the order of the ranks.
  ///
  /// Every rank gets everybody's: for a few numbers only. The corresponding C function is `MPI_Allgather`.
  package func orderedSum(_ values: UnsafeMutableBufferPointer<Double>) throws(MPIError) {
    let count = values.count
    precondition(count * size <= maximumCount, "\(count) numbers of \(size) ranks")
    guard size > 1, count > 0 else { return }
    var failure: MPIError?
    withUnsafeTemporaryAllocation(of: Double.self, capacity: count * size) { all in
      do throws(MPIError) {
        try check(
          "MPI_Allgather", all.count, of: Double.self,
          MPI_Allgather(
            values.baseAddress, CInt(count), Double.datatype.raw, all.baseAddress, CInt(count), Double.datatype.raw, raw
          ))
      } catch {
        failure = error
        return
      }
      for index in 0..<count {
        values[index] = all[index]
        for rank in 1..<size { values[index] += all[rank * count + index] }
      }
    }
    if let failure { throw failure }
  }

  /// The sum of the ranks' values, added in the order of the ranks.
  ///
  /// The corresponding C function is `MPI_Allgather`.
  package func orderedSum(_ value: Double) throws(MPIError) -> Double {
    var value = value
    try withUnsafeMutablePointer(to: &value) { (pointer) throws(MPIError) in
      try orderedSum(UnsafeMutableBufferPointer(start: pointer, count: 1))
    }
    return value
  }

  /// Element by element the sum of the ranks' arrays (N), which are of one length, added in the order of the ranks.
  ///
  /// The corresponding C function is `MPI_Allgather`.
  package func orderedSum(_ values: [Double]) throws(MPIError) -> [Double] {
    var values = values
    try values.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in try orderedSum(buffer) }
    return values
  }
}
