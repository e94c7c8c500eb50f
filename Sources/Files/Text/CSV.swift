/// Comma-separated values as RFC 4180 has them.
package enum CSV {
  /// A text as a field: in quotes where it must be.
  package static func field(_ text: String) -> String {
    let needsQuotes = text.utf8.contains { [UInt8(ascii: ","), UInt8(ascii: "\""), 10, 13].contains($0) }
    return needsQuotes ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
  }
}
