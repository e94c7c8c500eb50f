import Glibc

/// A TCP socket of the watchdogs. Nothing here waits longer than it is told.
///
/// The kernel watches the other host: where nothing is acknowledged for `Watch.lostAfter` seconds, the connection is dead,
/// whereas a stopped process still acknowledges.
package final class WatchSocket: Sendable {
  package let descriptor: CInt

  private init(_ descriptor: CInt) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// Accepts connections on a port that the system chooses; nil where it cannot.
  package static func listening() -> (socket: WatchSocket, port: UInt16)? {
    guard let result = make() else { return nil }
    var address = socketAddress(0, port: 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
        bind(result.descriptor, raw, length) == 0 && listen(result.descriptor, 1024) == 0
          && getsockname(result.descriptor, raw, &length) == 0
      }
    }
    return isBound ? (result, UInt16(bigEndian: address.sin_port)) : nil
  }

  /// A connection to an IPv4 address; nil if none comes about in two seconds.
  package static func connected(to host: UInt32, port: UInt16) -> WatchSocket? {
    guard let result = make() else { return nil }
    var address = socketAddress(host, port: port)
    let code = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(result.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard code == 0 || errno == EINPROGRESS, wait([result.descriptor], for: POLLOUT, seconds: 2) == [true],
      result.error == 0
    else { return nil }
    return result
  }

  /// The next connection that waits at a listening socket.
  package func accepted() -> WatchSocket? {
    let other = accept(descriptor, nil, nil)
    guard other >= 0 else { return nil }
    _ = fcntl(other, F_SETFL, O_NONBLOCK)
    _ = fcntl(other, F_SETFD, FD_CLOEXEC)
    Self.watchOverHost(other)
    return WatchSocket(other)
  }

  /// What was received: nil where nothing has come yet, empty at the end of the connection.
  package func receive() throws(WatchSocketError) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = recv(descriptor, &bytes, bytes.count, 0)
    if count < 0 {
      if errno == EAGAIN || errno == EINTR { return nil }
      throw WatchSocketError(code: errno)
    }
    return Array(bytes[..<count])
  }

  /// Hands the bytes to the system. What does not fit is dropped whole: it waits for a host that is gone.
  package func send(_ bytes: [UInt8]) throws(WatchSocketError) {
    let count = Glibc.send(descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL))
    if count < 0, errno != EAGAIN, errno != EINTR { throw WatchSocketError(code: errno) }
  }

  /// Which of the descriptors are ready, or broken, after at most `seconds`.
  package static func wait(_ descriptors: [CInt], for events: CInt = POLLIN, seconds: Int) -> [Bool] {
    var entries = descriptors.map { pollfd(fd: $0, events: Int16(events), revents: 0) }
    let count = poll(&entries, nfds_t(entries.count), CInt(seconds * 1000))
    return entries.map { count > 0 && $0.revents != 0 }
  }

  private var error: CInt {
    var code: CInt = 0
    var length = socklen_t(MemoryLayout<CInt>.size)
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 ? code : errno
  }

  private static func make() -> WatchSocket? {
    let kind = CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(AF_INET, kind, CInt(IPPROTO_TCP))
    guard descriptor >= 0 else { return nil }
    watchOverHost(descriptor)
    return WatchSocket(descriptor)
  }

  private static func watchOverHost(_ descriptor: CInt) {
    func set(_ level: CInt, _ option: CInt, _ value: CInt) {
      var value = value
      setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<CInt>.size))
    }
    set(SOL_SOCKET, SO_KEEPALIVE, 1)
    set(CInt(IPPROTO_TCP), TCP_KEEPIDLE, 4)
    set(CInt(IPPROTO_TCP), TCP_KEEPINTVL, 2)
    set(CInt(IPPROTO_TCP), TCP_USER_TIMEOUT, CInt(Watch.lostAfter * 1000))
  }

  private static func socketAddress(_ host: UInt32, port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = host.bigEndian
    return address
  }
}

/// The end of a connection, as the system tells it.
package struct WatchSocketError: Error {
  package let code: CInt

  package init(code: CInt) { self.code = code }

  /// Whether the other host no longer answers; otherwise only its process is gone.
  package var isHostLost: Bool { [ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN].contains(code) }
}
