import Foundation

/// Numbers as people read them.
enum Figure {
  static func fixed(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

  /// Five significant digits, no zeros at the end.
  static func short(_ value: Double) -> String { String(format: "%.5g", value) }

  static func percent(_ share: Double) -> String { fixed(100 * share, 2) + " %" }

  static func duration(_ seconds: Double) -> String {
    switch seconds {
    case ..<120: fixed(seconds, 1) + " s"
    case ..<7200: fixed(seconds / 60, 1) + " min"
    default: fixed(seconds / 3600, 1) + " h"
    }
  }

  /// 36644 as 36,644.
  static func grouped(_ number: Int) -> String {
    let digits = String(number.magnitude)
    let groups = stride(from: digits.count, to: 0, by: -3).map { end in
      String(digits.dropLast(digits.count - end).suffix(3))
    }
    return (number < 0 ? "-" : "") + groups.reversed().joined(separator: ",")
  }
}
