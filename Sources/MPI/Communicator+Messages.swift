import COpenMPI

// Messages from one rank to another: only these two ranks call. Lengths past `maximumCount` travel in chunks.
extension Communicator {
  /// Sends `buffer` (N) to rank `destination`, which receives as many elements; may return before they have arrived.
  ///
  /// The corresponding C function is `MPI_Send`.
  package func send<S: MPIScalar>(_ buffer: UnsafeBufferPointer<S>, to destination: Int) throws(MPIError) {
    for chunk in Chunks(of: buffer.count, limit: maximumCount) {
      let data = buffer.baseAddress! + chunk.lowerBound
      try check(
        "MPI_Send", chunk.count, of: S.self,
        MPI_Send(data, CInt(chunk.count), S.datatype.raw, CInt(destination), Self.messageTag, raw))
    }
  }

  /// Fills `buffer` (N) with what rank `source` sends; messages of one rank arrive in the order of its sends.
  ///
  /// The corresponding C function is `MPI_Recv`.
  package func receive<S: MPIScalar>(_ buffer: UnsafeMutableBufferPointer<S>, from source: Int) throws(MPIError) {
    for chunk in Chunks(of: buffer.count, limit: maximumCount) {
      let data = buffer.baseAddress! + chunk.lowerBound
      try check(
        "MPI_Recv", chunk.count, of: S.self,
        MPI_Recv(data, CInt(chunk.count), S.datatype.raw, CInt(source), Self.messageTag, raw, MPI_STATUS_IGNORE))
    }
  }

  private static let messageTag: CInt = 1
}
