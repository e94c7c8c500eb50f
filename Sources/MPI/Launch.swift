import Glibc

/// What the launcher says of this process before MPI has started: mpirun's variables, or Slurm's.
package enum Launch {
  /// Ranks of the job; 1 for a process that was started by itself.
  package static var size: Int { variable("OMPI_COMM_WORLD_SIZE") ?? variable("PMI_SIZE") ?? 1 }
  package static var rank: Int { variable("OMPI_COMM_WORLD_RANK") ?? variable("PMI_RANK") ?? 0 }
  /// Ranks on this host.
  private static var hostSize: Int? { variable("OMPI_COMM_WORLD_LOCAL_SIZE") }

  /// "rank 3 of 8 on node1 (process 4711)"
  static var description: String {
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, name.count - 1)
    let host = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    return (size > 1 ? "rank \(rank) of \(size)" : "this program") + " on \(host) (process \(getpid()))"
  }

  /// Tells the other ranks of this host that this one has come as far as MPI's start: by a file in mpirun's session
  /// folder, which mpirun removes. Nothing happens without such a folder.
  static func announce() {
    guard size > 1, let path = mark(rank) else { return }
    let file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
    if file >= 0 { close(file) }
  }

  /// A sentence about the ranks of this host that have not come as far as MPI's start; nil where all have, or where
  /// that is not known.
  static var absentRanks: String? {
    guard let hostSize, mark(0) != nil else { return nil }
    let absent = (0..<size).filter { mark($0).map { access($0, F_OK) != 0 } ?? false }
    let here = absent.count - (size - hostSize)
    guard here > 0 else { return nil }
    let names = size == hostSize ? ": rank " + absent.prefix(16).map(String.init).joined(separator: ", ") : ""
    return "Of the \(hostSize) ranks of this host \(here) did not come as far as this\(names)."
  }

  /// Refuses to be one of many ranks that each take themselves for a whole job: so does Open MPI where it does not understand
  /// the launcher, from Slurm without PMIx to the `mpirun` of a host that starts an older Open MPI in a container.
  ///
  /// Launchers that say nothing of their number leave 1 for it.
  static func check(_ joined: Int) throws(LaunchMismatch) {
    guard size <= joined else { throw LaunchMismatch(started: size, joined: joined) }
  }

  private static func mark(_ rank: Int) -> String? {
    guard let folder = getenv("PMIX_SERVER_TMPDIR"), let job = getenv("PMIX_NAMESPACE") else { return nil }
    return "\(String(cString: folder))/cosface-started-\(String(cString: job))-\(rank)"
  }

  private static func variable(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }
}

/// The launcher started another number of ranks than those that found each other.
struct LaunchMismatch: Error, CustomStringConvertible {
  let started: Int
  let joined: Int

  var description: String {
    let library = World.library
    let launcher = getenv("PMIX_VERSION").map { " (PMIx \(String(cString: $0)))" } ?? ""
    return """
      The launcher\(launcher) started \(started) ranks, but the MPI library of this program (\(library.name) \
      \(library.loaded)) knows of \(joined). They do not fit each other: start it by the mpirun of the same installation; in \
      a container, by one of the same release, or an older one; by srun, with --mpi=pmix.
      """
  }
}
