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

extension BinaryInteger {
  /// In digits of `radix`, zeros before them where there are fewer than `count`: 7 as "007".
  package func digits(_ count: Int, radix: Int = 10, uppercase: Bool = false) -> String {
    let digits = String(self, radix: radix, uppercase: uppercase)
    return String(repeating: "0", count: Swift.max(0, count - digits.utf8.count)) + digits
  }
}
