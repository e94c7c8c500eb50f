import COpenMPI

/// An operation that has been started and must be waited for: exactly one of `wait()` and `abandon()` ends it.
///
/// Dropping it otherwise stops the program, because the library would write into a buffer that its owner thinks
/// finished.
package struct Request: ~Copyable {
  // Most buffers are one chunk: that one needs no array.
  private var first: MPI_Request? = MPI_REQUEST_NULL
  private var rest: [MPI_Request?] = []
  private var isOpen = true

  init() {}

  mutating func append(_ part: MPI_Request?) {
    if first == MPI_REQUEST_NULL { first = part } else { rest.append(part) }
  }

  /// Returns when the operation is complete on this rank: the buffer is its owner's again.
  ///
  /// The corresponding C function is `MPI_Wait`.
  package consuming func wait() throws(MPIError) {
    isOpen = false  // An error ends the request as well: the job is over.
    try check("MPI_Wait", MPI_Wait(&first, MPI_STATUS_IGNORE))
    for index in rest.indices {
      try check("MPI_Wait", MPI_Wait(&rest[index], MPI_STATUS_IGNORE))
    }
  }

  /// Whether the operation is complete; lets the library make progress. `wait()` is still due, and then returns at once.
  ///
  /// The corresponding C function is `MPI_Test`.
  package mutating func test() throws(MPIError) -> Bool {
    var isComplete = try Self.test(&first)
    for index in rest.indices where try !Self.test(&rest[index]) { isComplete = false }
    return isComplete
  }

  /// Forgets the operation on the way to the job's end, where waiting could take for ever: another rank has failed
  /// or this one has. MPI must not be called after it except to abort, for it may still write into the buffer.
  package consuming func abandon() {
    isOpen = false
  }

  private static func test(_ part: inout MPI_Request?) throws(MPIError) -> Bool {
    var flag: CInt = 0
    try check("MPI_Test", MPI_Test(&part, &flag, MPI_STATUS_IGNORE))
    return flag != 0
  }

  deinit {
    // Not a precondition: its text would be missing from release builds.
    if isOpen { fatalError("An MPI request was dropped before wait().") }
  }
}
