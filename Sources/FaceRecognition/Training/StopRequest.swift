import Glibc
import Synchronization

/// SIGTERM, SIGINT and SIGUSR1 (which batch systems send before the end): the step is finished and saved, then training
/// ends. A second signal ends the process at once.
enum StopRequest {
  /// Exit code of a run that was stopped and can be resumed: a job script tells it from success and failure.
  /// It is EX_TEMPFAIL of <sysexits.h>.
  static let exitCode: Int32 = 75

  private static let count = Atomic<Int>(0)

  static var isPending: Bool { count.load(ordering: .relaxed) > 0 }

  static func listen() {
    // A parent may have blocked them, and children inherit that.
    var heard = sigset_t()
    sigemptyset(&heard)
    for signal in [SIGTERM, SIGINT, SIGUSR1] {
      sigaddset(&heard, signal)
      _ = Glibc.signal(signal) { number in
        // Only what is allowed in a handler: an atomic counter, and _exit.
        if StopRequest.count.add(1, ordering: .relaxed).newValue > 1 { _exit(128 + number) }
      }
    }
    pthread_sigmask(SIG_UNBLOCK, &heard, nil)
  }
}
