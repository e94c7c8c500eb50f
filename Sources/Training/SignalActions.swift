import Glibc

/// What a program does at the signals that a training run takes over, kept while it trains, to be put back.
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
