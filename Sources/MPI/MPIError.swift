import COpenMPI

/// A call of the MPI library that failed.
package struct MPIError: Error, Equatable, CustomStringConvertible {
  /// The C function, such as `MPI_Bcast`.
  package let routine: String
  /// What the function returned; its meaning is the MPI library's own.
  package let code: Int32
  /// The library's text for `code`.
  package let message: String

  package var description: String { "\(routine) failed with code \(code): \(message)" }

  /// The corresponding C function is `MPI_Error_string`.
  package init(routine: String, code: Int32) {
    self.routine = routine
    self.code = code
    self.message =
      withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(MPI_MAX_ERROR_STRING) + 1) { text in
        text.initialize(repeating: 0)
        var length: CInt = 0
        guard MPI_Error_string(code, text.baseAddress!, &length) == MPI_SUCCESS else { return "unknown error" }
        return String(cString: text.baseAddress!)
      }
  }
}

/// Calls the MPI library: the one place where its return codes and its time are looked at, and where the watchdog learns
/// of the call. `elements` of `type` are what it is handed, for who observes calls.
@inline(__always)
func check<S>(
  _ routine: StaticString, _ elements: Int, of type: S.Type, _ call: @autoclosure () -> CInt
) throws(MPIError) {
  Activity.enter(routine)
  let start = LibraryTime.now
  let code = call()
  LibraryTime.add(routine, elements, MemoryLayout<S>.stride, since: start)
  Activity.leave()
  if code != MPI_SUCCESS { throw MPIError(routine: "\(routine)", code: code) }
}

/// Calls a function of the MPI library that moves no elements, or those that another one was handed.
@inline(__always)
func check(_ routine: StaticString, _ call: @autoclosure () -> CInt) throws(MPIError) {
  try check(routine, 0, of: UInt8.self, call())
}
