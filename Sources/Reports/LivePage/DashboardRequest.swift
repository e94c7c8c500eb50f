import Foundation

/// The head of an HTTP request, as far as a dashboard needs it.
package struct DashboardRequest: Equatable, Sendable {
  package let method: String
  /// Without the query.
  package let path: String
  package let query: [String: String]
  /// Names in lower case; of repeated ones the first counts.
  package let headers: [String: String]

  /// Longer heads are refused.
  package static let maximumBytes = 8192

  /// Nil for what is no HTTP/1 request. `bytes` end with the empty line after the head.
  package init?(_ bytes: some Collection<UInt8>) {
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: true)
    let words = lines.first?.split(separator: " ", omittingEmptySubsequences: false) ?? []
    guard words.count == 3, words[2].hasPrefix("HTTP/1."), words[1].hasPrefix("/") else { return nil }
    method = String(words[0])
    let target = words[1].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    path = String(target[0])
    var query: [String: String] = [:]
    for item in target.count > 1 ? target[1].split(separator: "&") : [] {
      let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, let value = parts[1].removingPercentEncoding else { continue }
      query[String(parts[0])] = query[String(parts[0])] ?? value
    }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { return nil }
      let name = line[..<colon].lowercased()
      headers[name] = headers[name] ?? line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    }
    (self.query, self.headers) = (query, headers)
  }
}
