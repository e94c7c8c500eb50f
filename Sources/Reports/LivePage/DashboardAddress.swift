import Glibc

/// Where a dashboard listens: "127.0.0.1:8080", "[::1]:8080", "localhost:8080", "0.0.0.0:8080".
package struct DashboardAddress: Equatable, Sendable, CustomStringConvertible {
  package let host: String
  package let port: UInt16

  /// Nil for anything but HOST:PORT, an IPv6 address in brackets.
  package init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else { return nil }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
    } else if host.contains(":") {
      return nil
    }
    guard !host.isEmpty else { return nil }
    (self.host, self.port) = (host, port)
  }

  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// A socket that listens here, and the port it has got, which is another where 0 was asked for.
  ///
  /// The corresponding C functions are `getaddrinfo`, `socket`, `bind` and `listen`.
  func listen() throws(DashboardError) -> (socket: CInt, port: UInt16, isLoopback: Bool) {
    var hints = addrinfo()
    hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
    var found: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, "\(port)", &hints, &found)
    guard code == 0, let info = found else {
      throw DashboardError(
        address: self, reason: String(cString: gai_strerror(code)), remedy: "Give an address of this host.")
    }
    defer { freeaddrinfo(info) }
    let descriptor = socket(
      info.pointee.ai_family, info.pointee.ai_socktype | CInt(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue),
      info.pointee.ai_protocol)
    guard descriptor >= 0 else { throw DashboardError(address: self, code: errno) }
    // A run that is started again must not wait for the last one's connections to be forgotten.
    var yes: CInt = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<CInt>.size))
    guard bind(descriptor, info.pointee.ai_addr, info.pointee.ai_addrlen) == 0,
      Glibc.listen(descriptor, SOMAXCONN) == 0
    else {
      let code = errno
      close(descriptor)
      throw DashboardError(address: self, code: code)
    }
    var bound = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let named = withUnsafeMutablePointer(to: &bound) { bound in
      bound.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
    }
    guard named == 0 else { throw DashboardError(address: self, code: errno) }
    return (descriptor, Self.port(of: bound), Self.isLoopback(bound))
  }

  /// Whether a browser that asks for `host` means this machine itself: no name but localhost, however it is resolved.
  static func isLoopback(host: String) -> Bool {
    var address = in_addr()
    let isAddress = inet_pton(AF_INET, host, &address) == 1
    return ["localhost", "::1", "[::1]"].contains(host) || (isAddress && UInt32(bigEndian: address.s_addr) >> 24 == 127)
  }

  private static func port(of address: sockaddr_storage) -> UInt16 {
    // Both families have the port in the same place.
    withUnsafeBytes(of: address) { UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self)) }
  }

  private static func isLoopback(_ address: sockaddr_storage) -> Bool {
    withUnsafeBytes(of: address) { bytes in
      switch CInt(address.ss_family) {
      case AF_INET: bytes[4] == 127
      case AF_INET6: bytes[8..<23].allSatisfy { $0 == 0 } && bytes[23] == 1
      default: false
      }
    }
  }
}

/// Why a dashboard cannot listen.
package struct DashboardError: Error, Equatable, CustomStringConvertible {
  let address: DashboardAddress
  let reason: String
  let remedy: String

  init(address: DashboardAddress, reason: String, remedy: String) {
    (self.address, self.reason, self.remedy) = (address, reason, remedy)
  }

  init(address: DashboardAddress, code: CInt) {
    let remedy =
      switch code {
      case EADDRINUSE: "Another program has this port: choose another one, or 0 for any that is free."
      case EADDRNOTAVAIL: "This host has no such address."
      case EACCES: "Ports below 1024 are the system's: choose a higher one."
      default: "Choose another address."
      }
    self.init(address: address, reason: String(cString: strerror(code)), remedy: remedy)
  }

  package var description: String { "Cannot serve the dashboard at \(address): \(reason). \(remedy)" }
}
