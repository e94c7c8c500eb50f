import Foundation

/// Numbers as people read them.
enum Figures {
  /// A cosine: 0.6123
  static func fixed(_ value: Double) -> String { String(format: "%.4f", value) }

  /// 0.9231 as 92.31 %
  static func percent(_ share: Double) -> String { String(format: "%.2f %%", 100 * share) }
}
