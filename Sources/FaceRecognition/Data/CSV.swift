/// Fields of comma-separated values.
enum CSV {
  /// A field as RFC 4180 has it.
  static func quoted(_ field: String) -> String {
    let needsQuotes = field.utf8.contains { [UInt8(ascii: ","), UInt8(ascii: "\""), 10, 13].contains($0) }
    return needsQuotes ? "\"" + field.replacing("\"", with: "\"\"") + "\"" : field
  }
}
