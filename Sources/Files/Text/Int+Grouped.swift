extension Int {
  /// 36644 as 36,644.
  package var grouped: String {
    var digits = String(magnitude)
    var result = ""
    while digits.count > 3 {
      result = ",\(digits.suffix(3))" + result
      digits.removeLast(3)
    }
    return (self < 0 ? "-" : "") + digits + result
  }

  /// "1 image", "36,644 images".
  package func counted(_ noun: String) -> String { "\(grouped) \(noun)\(self == 1 ? "" : "s")" }
}
