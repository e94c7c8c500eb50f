import COpenMPI

/// Messages between pairs of ranks that are under way together and finished together: `test()` until it is true, or
/// `wait()`. Made once; a finished group takes the next messages without allocating.
///
/// Messages of one pair and tag arrive in the order in which they were sent. Buffers must stay where they are, untouched,
/// until the group is finished.
package final class MessageGroup {
  private let communicator: Communicator
  private let requests: UnsafeMutableBufferPointer<MPI_Request?>
  private var count = 0
  /// Bytes that this rank has sent in all.
  package private(set) var sentBytes = 0

  /// `capacity` is the largest number of messages, sent and received, that are under way together.
  package init(_ communicator: Communicator, capacity: Int) {
    self.communicator = communicator
    requests = .allocate(capacity: max(capacity, 1))
    requests.initialize(repeating: MPI_REQUEST_NULL)
  }

  /// Sends `buffer` to `rank`. An empty one is sent too.
  ///
  /// The corresponding C function is `MPI_Isend`.
  package func send<S: MPIScalar>(_ buffer: UnsafeBufferPointer<S>, to rank: Int, tag: Int) throws(MPIError) {
    let slot = take(buffer.count)
    try check(
      "MPI_Isend", buffer.count, of: S.self,
      MPI_Isend(
        buffer.baseAddress, CInt(buffer.count), S.datatype.raw, CInt(rank), CInt(tag), communicator.raw,
        &requests[slot]))
    sentBytes += buffer.count * MemoryLayout<S>.stride
  }

  /// Receives from `rank` exactly as many elements as `buffer` has.
  ///
  /// The corresponding C function is `MPI_Irecv`.
  package func receive<S: MPIScalar>(
    _ buffer: UnsafeMutableBufferPointer<S>, from rank: Int, tag: Int
  ) throws(MPIError) {
    let slot = take(buffer.count)
    try check(
      "MPI_Irecv", buffer.count, of: S.self,
      MPI_Irecv(
        buffer.baseAddress, CInt(buffer.count), S.datatype.raw, CInt(rank), CInt(tag), communicator.raw,
        &requests[slot]))
  }

  /// Whether all messages are finished, then the group is free for the next; lets the library make progress.
  ///
  /// The corresponding C function is `MPI_Testall`.
  package func test() throws(MPIError) -> Bool {
    guard count > 0 else { return true }
    var flag: CInt = 0
    try check("MPI_Testall", MPI_Testall(CInt(count), requests.baseAddress, &flag, MPI_STATUSES_IGNORE))
    if flag != 0 { count = 0 }
    return flag != 0
  }

  /// Returns when all messages are finished.
  ///
  /// The corresponding C function is `MPI_Waitall`.
  package func wait() throws(MPIError) {
    guard count > 0 else { return }
    let pending = count
    count = 0
    try check("MPI_Waitall", MPI_Waitall(CInt(pending), requests.baseAddress, MPI_STATUSES_IGNORE))
  }

  /// Forgets what is under way, on the way to the job's end. MPI must not be called after it except to abort.
  package func abandon() { count = 0 }

  private func take(_ elements: Int) -> Int {
    precondition(count < requests.count, "More than \(requests.count) messages in one group")
    precondition(elements <= communicator.maximumCount, "A message of \(elements) elements")
    count += 1
    return count - 1
  }

  deinit {
    // Not a precondition: its text would be missing from release builds.
    if count > 0 { fatalError("A group of messages was dropped before it was finished.") }
    requests.deallocate()
  }
}
