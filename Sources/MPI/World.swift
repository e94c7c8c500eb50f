import COpenMPI
import Files
import Glibc

/// The MPI job that this process belongs to: started by `mpirun` with many ranks, or by itself with one.
package enum World {
  /// Starts MPI, runs `body` with the communicator of all ranks, and finishes MPI.
  ///
  /// If `body` throws on any rank, all ranks end: one message on standard error, exit code not zero, no return.
  ///
  /// A job that would hang ends as well, also while MPI starts: a watchdog names the ranks that did not arrive, and hosts
  /// that are lost. Its exit code is 69.
  /// - Parameters:
  ///   - collectiveTimeout: Seconds that a rank may wait in one call of MPI; 0 for ever. Where it waits for a rank that
  ///     gets something done (`advance()`), longer.
  ///   - report: What to tell of an error, and the exit code of the job.
  @discardableResult
  package static func run<Result>(
    collectiveTimeout: Double = 300,
    reporting report: (any Error) -> FailureReport = FailureReport.init,
    _ body: (Communicator) throws -> Result
  ) -> Result {
    var placement: Placement?
    do {
      let (communicator, watchdog) = try start(collectiveTimeout, Watch.hint) { placement = $0 }
      let result = try body(communicator)
      try finalize()
      watchdog?.finish()
      return result
    } catch {
      abort(report(error), rank: currentRank, at: placement)
    }
  }

  /// Starts MPI under a watchdog's eyes. `found` hears where this rank is as soon as it is known.
  static func start(
    _ collectiveTimeout: Double, _ hint: String, _ found: (Placement) -> Void
  ) throws -> (Communicator, Watchdog?) {
    var watchdog = Watchdog(timeout: collectiveTimeout, hint: hint)
    Launch.announce()
    let communicator = try initialize()
    try Launch.check(communicator.size)
    if communicator.size == 1 {
      watchdog?.finish()
      watchdog = nil
    }
    let placement = try communicator.placement()
    found(placement)
    try watchdog?.join(communicator, placement)
    OpenMPI.silence()
    return (communicator, watchdog)
  }

  /// Starts MPI, at the first call, and returns the communicator of all ranks.
  ///
  /// Any thread may then call MPI, but only one at a time.
  /// The corresponding C function is `MPI_Init_thread`.
  package static func initialize() throws(MPIError) -> Communicator {
    try started.get()
  }

  private static let started = Result { () throws(MPIError) in
    OpenMPI.configure()
    var provided: CInt = 0
    try check("MPI_Init_thread", MPI_Init_thread(nil, nil, CInt(MPI_THREAD_SERIALIZED), &provided))
    guard provided >= MPI_THREAD_SERIALIZED else {
      throw MPIError(routine: "MPI_Init_thread", code: MPI_ERR_UNSUPPORTED_OPERATION)
    }
    let world = try Communicator(MPI_COMM_WORLD)
    Terminal.speaksForAll.store(world.rank == 0, ordering: .relaxed)
    return world
  }

  /// Finishes MPI, when all ranks have come here.
  ///
  /// The corresponding C function is `MPI_Finalize`.
  package static func finalize() throws(MPIError) {
    try check("MPI_Finalize", MPI_Finalize())
  }

  /// Whether MPI has been started and not finished.
  ///
  /// The corresponding C functions are `MPI_Initialized` and `MPI_Finalized`.
  package static var isRunning: Bool {
    var initialized: CInt = 0
    var finalized: CInt = 0
    return MPI_Initialized(&initialized) == MPI_SUCCESS && initialized != 0
      && MPI_Finalized(&finalized) == MPI_SUCCESS && finalized == 0
  }

  /// This process's rank and the number of them, if MPI runs.
  static var currentRank: (rank: Int, size: Int)? {
    guard isRunning, let world = try? Communicator(MPI_COMM_WORLD) else { return nil }
    return (world.rank, world.size)
  }
}

extension World {
  /// The MPI library: the version that this process has loaded, and that of the headers that it was compiled with. MPI need
  /// not have been started.
  ///
  /// The corresponding C function is `MPI_Get_library_version`.
  package static var library: (name: String, loaded: String, headers: String) {
    let headers = "\(OMPI_MAJOR_VERSION).\(OMPI_MINOR_VERSION).\(OMPI_RELEASE_VERSION)"
    var text = [CChar](repeating: 0, count: Int(MPI_MAX_LIBRARY_VERSION_STRING))
    var length: CInt = 0
    guard MPI_Get_library_version(&text, &length) == MPI_SUCCESS else { return ("MPI", "unknown", headers) }
    // "Open MPI v4.1.4, package: ..., ident: ..."
    let name = String(decoding: text.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
      .prefix { $0 != "," && $0 != "\0" && !$0.isNewline }
    let parts = name.split(separator: " v", maxSplits: 1)
    return parts.count == 2 ? (String(parts[0]), String(parts[1]), headers) : ("MPI", String(name), headers)
  }

  /// "3.1": the standard that the library follows.
  ///
  /// The corresponding C function is `MPI_Get_version`.
  package static var standard: String {
    var (version, subversion): (CInt, CInt) = (0, 0)
    guard MPI_Get_version(&version, &subversion) == MPI_SUCCESS else { return "unknown" }
    return "\(version).\(subversion)"
  }
}
