import COpenMPI
import Glibc

/// What the releases of Open MPI need from us: settings before MPI starts, and silence after a failure.
enum OpenMPI {
  /// 4, 5 or 6: the library's that is loaded, and 0 where it is not Open MPI's.
  static let release: Int = {
    let library = World.library
    return library.name == "Open MPI" ? Int(library.loaded.prefix(while: \.isNumber)) ?? 0 : 0
  }()

  /// MPI_Init reads the parameters. Who sets one, in the environment or by mpirun's --mca, decides otherwise.
  static func configure() {
    if release == 4 {
      // Without mpirun it would start a daemon and ask for ssh, both only for MPI_Comm_spawn.
      setenv("OMPI_MCA_ess_singleton_isolated", "1", 0)
    }
    if release >= 5 {
      // coll/han, first choice since 5.0, sums within hosts first: results would depend on how the ranks lie on hosts.
      setenv("OMPI_MCA_coll_han_priority", "0", 0)
      // Where hosts have addresses of both kinds, 5.0 pairs those of different kinds, and warns of each pair of ranks.
      if !NetworkInterface.all().isEmpty { setenv("OMPI_MCA_btl_tcp_disable_family", "6", 0) }
    }
    sendEagerlyOverTCP()
  }

  /// Above 64 KB Open MPI asks the receiver first, and question and answer wait in the socket behind megabytes of other
  /// buckets: over 1 Gbit/s a sixth of a step was lost. Here receives are posted, or soon will be, and a bucket's pieces may
  /// go at once. The parameters must fit each other: who sets one decides on all.
  private static func sendEagerlyOverTCP() {
    let names = ["eager_limit", "max_send_size", "rdma_pipeline_send_length"].map { "OMPI_MCA_btl_tcp_\($0)" }
    guard names.allSatisfy({ getenv($0) == nil }) else { return }
    for name in names { setenv(name, "\(4 << 20)", 0) }
  }

  /// Ends Open MPI's explanations of what follows from a failure: nine lines of `MPI_Abort`, more from every rank on
  /// another node whose peer has gone, and errors of mpirun's attempt to collect them. They would bury our message.
  ///
  /// `mpirun --quiet` sets 4's variable, in itself too, and then does not tell why it cannot start a job. 5 has a pointer to
  /// the function that explains, 6 that function alone. Who sets `OMPI_MCA_orte_execute_quiet` decides otherwise.
  ///
  /// Since 5.0 a rank whose peer has gone ends the job at once, with an exit code of its own, before mpirun or the watchdog
  /// can tell what has happened: it waits a little now.
  static func silence() {
    guard getenv("OMPI_MCA_orte_execute_quiet") == nil else { return }
    variable("orte_execute_quiet", Bool.self)?.pointee = true
    let nothing: @convention(c) () -> CInt = { 0 }
    variable("opal_show_help", UnsafeRawPointer.self)?.pointee = unsafeBitCast(nothing, to: UnsafeRawPointer.self)
    variable("opal_abort_delay", CInt.self)?.pointee = 15
  }

  /// The corresponding C function is `MPI_Abort`.
  static func abort(_ exitCode: Int32) {
    variable("opal_abort_delay", CInt.self)?.pointee = 0
    // 6's MPI_Abort explains itself, and nothing silences it.
    if release >= 6 { cosface_abort(exitCode) }
    MPI_Abort(MPI_COMM_WORLD, exitCode)
  }

  /// A variable of the library that is loaded; nil in releases that do not have it.
  private static func variable<Value>(_ name: String, _ type: Value.Type) -> UnsafeMutablePointer<Value>? {
    cosface_variable(name)?.assumingMemoryBound(to: type)
  }
}
