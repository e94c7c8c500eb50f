import Foundation
import Glibc
import Testing

/// A client with a socket in its hands: it may be slow, rude, or gone.
final class DashboardClient {
  private let socket: CInt

  /// - Throws: `POSIXError` where nobody listens.
  init(port: UInt16) throws {
    socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    try #require(socket >= 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let code = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard code == 0 else {
      let reason = POSIXErrorCode(rawValue: errno) ?? .EIO
      close(socket)
      throw POSIXError(reason)
    }
    var patience = timeval(tv_sec: 30, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(socket) }

  func send(_ text: String) {
    let bytes = Array(text.utf8)
    _ = Glibc.send(socket, bytes, bytes.count, CInt(MSG_NOSIGNAL))
  }

  /// All until the server ends the connection.
  func receive() -> String {
    var (received, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 65_536))
    while true {
      let count = recv(socket, &buffer, buffer.count, 0)
      guard count > 0 else { return String(decoding: received, as: UTF8.self) }
      received += buffer[..<count]
    }
  }

  /// One request and its response.
  static func ask(_ port: UInt16, _ target: String, method: String = "GET", headers: [String] = ["Host: 127.0.0.1"])
    throws -> (status: Int, text: String)
  {
    let client = try DashboardClient(port: port)
    client.send("\(method) \(target) HTTP/1.1\r\n" + headers.map { $0 + "\r\n" }.joined() + "\r\n")
    let text = client.receive()
    return (Int(text.dropFirst(9).prefix(3)) ?? 0, text)
  }
}
