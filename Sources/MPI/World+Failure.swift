import COpenMPI
import Glibc

/// What a failed rank tells before the job ends.
package struct FailureReport: Sendable {
  package var message: String
  /// The exit code of the program and of `mpirun`, 1...255.
  package var exitCode: Int32

  package init(message: String, exitCode: Int32 = 1) {
    self.message = message
    self.exitCode = exitCode
  }

  package init(_ error: any Error) {
    self.init(message: "Error: \(error)")
  }
}

extension World {
  /// Ends all ranks with `report` as the only message, if several of them come here at nearly the same time.
  ///
  /// Often every rank fails alike: a missing folder, a wrong option. How one of them is chosen, without MPI, which may be
  /// what failed, and which could still write into the buffers of abandoned requests:
  /// - on a node, the first that creates a file in mpirun's session folder, which mpirun removes;
  /// - between nodes, later nodes wait, long enough for the abort of an earlier one to find them silent: mpirun takes two
  ///   seconds to reach them, for it first waits until the ranks of its own node have ended.
  /// The others wait to be ended. Where there is no such folder (another launcher) every rank tells its error.
  ///
  /// `patience`: seconds after the message in which mpirun may end the job by itself.
  ///
  /// The corresponding C function is `MPI_Abort`.
  static func abort(
    _ report: FailureReport, rank: (rank: Int, size: Int)?, at placement: Placement?, patience: Int = 0
  ) -> Never {
    fflush(nil)
    // Who waits below to be ended must not hear that end as a request, and go on to tell its error too.
    for number in [SIGTERM, SIGINT, SIGUSR1] { signal(number, SIG_DFL) }
    if let placement, placement.node > 0 { sleep(milliseconds: 4000 + 500 * min(placement.node, 20)) }
    if !claimsReport() { sleep(milliseconds: 10_000) }  // The rank that tells ends this one long before.
    write(report.message.printable + origin(rank, placement))
    // mpirun passes output on in its own time, and drops what it has not read when it ends the job.
    sleep(milliseconds: 100 + 1000 * patience)
    abandon(report.exitCode)
  }

  /// Ends all ranks without a word.
  static func abandon(_ exitCode: Int32) -> Never {
    OpenMPI.silence()
    if isRunning { OpenMPI.abort(exitCode) }
    _exit(exitCode)
  }

  /// Whether no other rank of this job on this node has claimed before to tell its error.
  private static func claimsReport() -> Bool {
    guard let folder = getenv("PMIX_SERVER_TMPDIR"), let job = getenv("PMIX_NAMESPACE") else { return true }
    let path = "\(String(cString: folder))/cosface-failure-\(String(cString: job))"
    let file = open(path, O_CREAT | O_EXCL | O_WRONLY, 0o600)
    if file >= 0 { close(file) }
    // Where the folder has gone, mpirun is ending the job already: somebody has told.
    return file >= 0 || (errno != EEXIST && errno != ENOENT)
  }

  private static func origin(_ rank: (rank: Int, size: Int)?, _ placement: Placement?) -> String {
    guard let rank, rank.size > 1 else { return "\n" }
    let host = placement.map { " on \($0.hostName)" } ?? ""
    return " (rank \(rank.rank) of \(rank.size)\(host))\n"
  }

  /// One call, so that the lines of several ranks do not mix.
  private static func write(_ text: String) {
    var text = text
    text.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  private static func sleep(milliseconds: Int) {
    usleep(UInt32(milliseconds) * 1000)
  }
}
