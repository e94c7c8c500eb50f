package import Foundation
import MPI

/// An HTTP response; every one tells the browser to load nothing from elsewhere and to keep nothing.
package struct DashboardResponse: Equatable, Sendable {
  package let status: Int
  package let type: String
  package let body: Data
  /// Marks the one script that may run.
  package let nonce: String?

  package init(status: Int = 200, type: String, body: Data, nonce: String? = nil) {
    (self.status, self.type, self.body, self.nonce) = (status, type, body, nonce)
  }

  /// A refusal in words.
  package static func refusal(_ status: Int, _ words: String) -> DashboardResponse {
    DashboardResponse(status: status, type: "text/plain; charset=utf-8", body: Data((words + "\n").utf8))
  }

  /// As it goes over the wire; the answer to HEAD leaves out the body.
  func bytes(withBody: Bool) -> [UInt8] {
    let script = nonce.map { "; script-src 'nonce-\($0)'; connect-src 'self'" } ?? ""
    var head = """
      HTTP/1.1 \(status) \(Self.phrases[status] ?? "Unknown")
      Content-Type: \(type)
      Content-Length: \(body.count)
      Connection: close
      Cache-Control: no-store
      Content-Security-Policy: default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; \
      form-action 'none'; frame-ancestors 'none'\(script)
      X-Content-Type-Options: nosniff
      X-Frame-Options: DENY
      Referrer-Policy: no-referrer
      Cross-Origin-Resource-Policy: same-origin

      """
    if status == 401 { head += "WWW-Authenticate: Bearer\n" }
    if status == 405 { head += "Allow: GET, HEAD\n" }
    let lines = head.replacing("\n", with: "\r\n") + "\r\n"
    return Array(lines.utf8) + (withBody ? Array(body) : [])
  }

  private static let phrases = [
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    408: "Request Timeout", 431: "Request Header Fields Too Large",
  ]
}
