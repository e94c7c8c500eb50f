import Foundation

/// Numbers as people read them.
enum Figure {
  static func fixed(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

  /// Five significant digits, no zeros at the end, and none before an exponent: 1e-6.
  static func short(_ value: Double) -> String {
    String(format: "%.5g", value).replacing("e-0", with: "e-").replacing("e+0", with: "e+")
  }

  static func percent(_ share: Double) -> String { fixed(100 * share, 2) + " %" }

  static func duration(_ seconds: Double) -> String {
    switch seconds {
    case ..<120: fixed(seconds, 1) + " s"
    case ..<7200: fixed(seconds / 60, 1) + " min"
    default: fixed(seconds / 3600, 1) + " h"
    }
  }
}
