import COpenMPI

/// Ranks that communicate with one another. Its operations are collective: every rank of it calls them, in the same order.
///
/// A value of this type is a handle: copies are the same communicator. MPI is started for one thread at a time
/// (`MPI_THREAD_SERIALIZED`), so two threads of one rank must not be inside these functions together.
package struct Communicator: @unchecked Sendable {
  // Unchecked: the handle never changes, and the library allows any thread to use it, one at a time.
  let raw: MPI_Comm

  /// This process's number in the communicator, 0..<size.
  package let rank: Int
  /// The number of ranks.
  package let size: Int

  /// Elements in one MPI call; longer buffers are sent in chunks.
  ///
  /// Far below what 32 bits hold, since Open MPI allocates temporary buffers as long as a call's: 2^28 floats are 1 GiB.
  /// It must be the same on all ranks. Tests make it small.
  package var maximumCount = 1 << 28

  init(_ raw: MPI_Comm) throws(MPIError) {
    // By default the library itself would end the program, with a message that hides ours.
    try check("MPI_Comm_set_errhandler", MPI_Comm_set_errhandler(raw, MPI_ERRORS_RETURN))
    var rank: CInt = 0
    var size: CInt = 0
    try check("MPI_Comm_rank", MPI_Comm_rank(raw, &rank))
    try check("MPI_Comm_size", MPI_Comm_size(raw, &size))
    self.raw = raw
    self.rank = Int(rank)
    self.size = Int(size)
  }

  /// The communicator of those ranks that pass the same `color` as this one, ordered by `key`, then by their rank here.
  ///
  /// Throws for a negative color. The corresponding C function is `MPI_Comm_split`.
  package func split(color: Int, key: Int = 0) throws(MPIError) -> Communicator {
    var part: MPI_Comm? = MPI_COMM_NULL
    try check("MPI_Comm_split", MPI_Comm_split(raw, CInt(color), CInt(key), &part))
    return try Communicator(part!).with(maximumCount: maximumCount)
  }

  /// The communicator of the ranks that share this rank's memory: those of its node, in their order here.
  ///
  /// The corresponding C function is `MPI_Comm_split_type`.
  package func splitSharedMemory() throws(MPIError) -> Communicator {
    var node: MPI_Comm? = MPI_COMM_NULL
    let kind = CInt(MPI_COMM_TYPE_SHARED)
    try check("MPI_Comm_split_type", MPI_Comm_split_type(raw, kind, 0, MPI_INFO_NULL, &node))
    return try Communicator(node!).with(maximumCount: maximumCount)
  }

  /// Gives up a communicator that `split` made; no copy of it may be used afterwards.
  ///
  /// The corresponding C function is `MPI_Comm_free`.
  package func free() throws(MPIError) {
    var handle: MPI_Comm? = raw
    try check("MPI_Comm_free", MPI_Comm_free(&handle))
  }

  /// Returns when every rank has called it.
  ///
  /// The corresponding C function is `MPI_Barrier`.
  package func barrier() throws(MPIError) {
    try check("MPI_Barrier", MPI_Barrier(raw))
  }

  private func with(maximumCount: Int) -> Communicator {
    var copy = self
    copy.maximumCount = maximumCount
    return copy
  }
}
