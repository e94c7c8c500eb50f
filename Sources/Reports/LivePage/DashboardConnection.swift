import Glibc

/// A client of the dashboard: it sends one request, gets one response, and has so long for each.
struct DashboardConnection {
  enum State {
    case reading
    case writing
    /// The response is out; what the client still sends is thrown away, so that closing does not cut the response off.
    case draining
    case finished
  }

  let socket: CInt
  private(set) var state = State.reading
  private(set) var deadline: ContinuousClock.Instant
  private var received: [UInt8] = []
  private var response: [UInt8] = []
  private var sent = 0

  private static let requestTime = Duration.seconds(10)
  private static let responseTime = Duration.seconds(30)
  private static let drainingTime = Duration.seconds(2)

  init(socket: CInt) {
    self.socket = socket
    deadline = .now + Self.requestTime
  }

  /// What to wait for.
  var events: Int16 { Int16(state == .writing ? POLLOUT : POLLIN) }

  /// Reads or writes what goes without waiting; `answer` makes the response.
  mutating func proceed(_ answer: (DashboardRequest) -> DashboardResponse) {
    switch state {
    case .reading: read(answer)
    case .writing: write()
    case .draining: drain()
    case .finished: break
    }
  }

  /// Ends what has taken too long.
  mutating func checkTime(_ now: ContinuousClock.Instant) {
    if now >= deadline { state = .finished }
  }

  private mutating func read(_ answer: (DashboardRequest) -> DashboardResponse) {
    let news = receive()
    guard !news.isEmpty else { return }
    received += news
    let headEnd = Self.endOfHead(received)
    guard (headEnd ?? received.count) <= DashboardRequest.maximumBytes else {
      let words = "The request's head is longer than \(DashboardRequest.maximumBytes) bytes."
      return respond(.refusal(431, words), withBody: true)
    }
    guard let end = headEnd else { return }
    guard let request = DashboardRequest(received[..<end]) else {
      return respond(.refusal(400, "This is no HTTP request."), withBody: true)
    }
    respond(answer(request), withBody: request.method != "HEAD")
  }

  private mutating func respond(_ response: DashboardResponse, withBody: Bool) {
    self.response = response.bytes(withBody: withBody)
    received = []
    state = .writing
    deadline = .now + Self.responseTime
    write()
  }

  /// The corresponding C functions are `send` and `shutdown`.
  private mutating func write() {
    while sent < response.count {
      let count = response[sent...].withUnsafeBytes {
        send(socket, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
      }
      if count < 0 {
        if errno == EINTR { continue }
        if errno != EAGAIN { state = .finished }
        return
      }
      sent += count
    }
    response = []
    shutdown(socket, CInt(SHUT_WR))
    state = .draining
    deadline = .now + Self.drainingTime
  }

  private mutating func drain() { _ = receive() }

  /// Takes at most one buffer, so that no client keeps the others waiting; finishes where the client has gone.
  ///
  /// The corresponding C function is `recv`.
  private mutating func receive() -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = recv(socket, &buffer, buffer.count, 0)
    if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) { state = .finished }
    return Array(buffer.prefix(max(count, 0)))
  }

  /// Behind the empty line that ends a head.
  private static func endOfHead(_ bytes: [UInt8]) -> Int? {
    let mark = Array("\r\n\r\n".utf8)
    guard bytes.count >= mark.count else { return nil }
    return (0...(bytes.count - mark.count)).first { bytes[$0..<($0 + mark.count)].elementsEqual(mark) }.map {
      $0 + mark.count
    }
  }
}
