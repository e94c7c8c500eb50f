import Glibc
import Synchronization

/// SIGTERM, SIGINT and SIGUSR1 (which batch systems send before the end): the step is finished and saved, then training
/// ends. A second signal ends the process at once, if it comes seconds after the first: batch systems signal mpirun and the
/// ranks alike, and mpirun passes on what it gets.
enum StopRequest {
  /// Exit code of a run that was stopped and can be resumed: a job script tells it from success and failure.
  /// It is EX_TEMPFAIL of <sysexits.h>.
  static let exitCode: Int32 = 75

  /// Milliseconds after a signal during which another one is the same request.
  private static let window = 2000
  /// When the first signal came, in milliseconds of the monotonic clock; 0 before.
  private static let first = Atomic<Int>(0)

  static var isPending: Bool { first.load(ordering: .relaxed) > 0 }

  /// Milliseconds since the first signal; nil where none has come.
  private static var age: Int? {
    let start = first.load(ordering: .relaxed)
    return start > 0 ? now - start : nil
  }

  private static var now: Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000 + 1
  }

  /// Forgets the request, after the time in which it may come a second time.
  static func reset() {
    if let age, age < window { usleep(UInt32(window - age) * 1000) }
    first.store(0, ordering: .relaxed)
  }

  static func listen() {
    // A parent may have blocked them, and children inherit that.
    var heard = sigset_t()
    sigemptyset(&heard)
    for signal in [SIGTERM, SIGINT, SIGUSR1] {
      sigaddset(&heard, signal)
      _ = Glibc.signal(signal) { number in
        // Only what is allowed in a handler: the clock, an atomic number, and _exit.
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let now = time.tv_sec * 1000 + time.tv_nsec / 1_000_000 + 1
        let (isFirst, first) = StopRequest.first.compareExchange(expected: 0, desired: now, ordering: .relaxed)
        if !isFirst && now - first > StopRequest.window { _exit(128 + number) }
      }
    }
    pthread_sigmask(SIG_UNBLOCK, &heard, nil)
  }
}

/// What a program does at the signals that a training run takes over: kept, to be put back after the run.
package struct SignalActions {
  /// Those of `StopRequest`, and SIGXFSZ, which `RunFiles` ignores.
  private static let numbers = [SIGTERM, SIGINT, SIGUSR1, SIGXFSZ]

  private let actions: [sigaction]
  private let mask: sigset_t

  /// The corresponding C functions are `sigaction` and `pthread_sigmask`.
  package init() {
    actions = Self.numbers.map { number in
      var action = sigaction()
      sigaction(number, nil, &action)
      return action
    }
    var blocked = sigset_t()
    pthread_sigmask(SIG_SETMASK, nil, &blocked)
    mask = blocked
  }

  /// Puts all back, and forgets a request to stop.
  package func restore() {
    StopRequest.reset()
    for (number, action) in zip(Self.numbers, actions) {
      var action = action
      sigaction(number, &action, nil)
    }
    var blocked = mask
    pthread_sigmask(SIG_SETMASK, &blocked, nil)
  }
}
