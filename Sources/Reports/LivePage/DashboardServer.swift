import Foundation
import Glibc
import Synchronization

/// Serves small HTTP responses on one thread of low priority, whatever its clients do: their number, the length of a
/// request and the time for it are bounded, and no file is ever read.
///
/// No library: those at hand read heads of any length and wait for a client without end, and their thread pools would
/// compete with the ranks that compute.
final class DashboardServer: @unchecked Sendable {
  typealias Answer = @Sendable (DashboardRequest) -> DashboardResponse

  let port: UInt16
  let isLoopback: Bool
  private let listener: CInt
  /// A pipe: closing its second end ends the thread.
  private let wake: (reading: CInt, writing: CInt)
  /// Signalled when the thread has ended.
  private let ended = DispatchSemaphore(value: 0)
  private let state = Mutex(State.listening)

  private enum State { case listening, serving, stopped }

  /// Further clients wait in the system's queue.
  private static let maximumConnections = 128

  /// Starts to listen.
  ///
  /// - Throws: `DashboardError`, with what to do where the port is taken.
  init(_ address: DashboardAddress) throws(DashboardError) {
    (listener, port, isLoopback) = try address.listen()
    var ends: [CInt] = [-1, -1]
    precondition(pipe(&ends) == 0, "No pipe: \(String(cString: strerror(errno)))")
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    wake = (ends[0], ends[1])
  }

  /// Starts to answer, once. `answer` is called on the server's thread alone, which keeps it until it ends.
  func start(_ answer: @escaping Answer) {
    state.withLock { state in
      precondition(state == .listening, "A dashboard's server was started twice, or after its end")
      state = .serving
    }
    Thread.start("dashboard") { [self] in
      // The calling thread's own: whoever computes goes first.
      setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
      serve(answer)
      ended.signal()
    }
  }

  /// Ends the thread, if `start` started one, all connections, and listening. To be called again is allowed.
  func stop() {
    let before = state.withLock { state in
      defer { state = .stopped }
      return state
    }
    guard before != .stopped else { return }
    close(wake.writing)
    if before == .serving { ended.wait() }
    close(listener)
    close(wake.reading)
  }

  /// The corresponding C function is `poll`.
  private func serve(_ answer: Answer) {
    var connections: [DashboardConnection] = []
    defer { for connection in connections { close(connection.socket) } }
    // After `accept` has failed for want of descriptors: no use in trying at once.
    var pauseUntil = ContinuousClock.now
    while true {
      let accepts = connections.count < Self.maximumConnections && ContinuousClock.now >= pauseUntil
      var polled = [pollfd(fd: wake.reading, events: Int16(POLLIN), revents: 0)]
      polled.append(pollfd(fd: accepts ? listener : -1, events: Int16(POLLIN), revents: 0))
      polled += connections.map { pollfd(fd: $0.socket, events: $0.events, revents: 0) }
      poll(&polled, nfds_t(polled.count), connections.isEmpty && accepts ? -1 : 500)
      if polled[0].revents != 0 { return }

      let now = ContinuousClock.now
      for index in connections.indices {
        if polled[index + 2].revents != 0 { connections[index].proceed(answer) }
        connections[index].checkTime(now)
        if connections[index].state == .finished { close(connections[index].socket) }
      }
      connections.removeAll { $0.state == .finished }
      if polled[1].revents != 0, !accept(into: &connections) { pauseUntil = .now + .seconds(1) }
    }
  }

  /// Takes all who wait, as far as there is room. False where the system refused.
  ///
  /// The corresponding C function is `accept`.
  private func accept(into connections: inout [DashboardConnection]) -> Bool {
    while connections.count < Self.maximumConnections {
      let socket = Glibc.accept(listener, nil, nil)
      guard socket >= 0 else { return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED }
      _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
      _ = fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK)
      connections.append(DashboardConnection(socket: socket))
    }
    return true
  }
}

/// A secret of 128 bits, in hexadecimal.
struct DashboardToken: Sendable {
  let text: String

  init() {
    // The system's own source of randomness, which is meant for secrets.
    var random = SystemRandomNumberGenerator()
    text = (0..<4).map { _ in (random.next() as UInt32).digits(8, radix: 16) }.joined()
  }

  /// Takes the same time wherever the first wrong character is.
  func matches(_ given: String) -> Bool {
    let (mine, theirs) = (Array(text.utf8), Array(given.utf8))
    guard mine.count == theirs.count else { return false }
    return zip(mine, theirs).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }
}
