import Foundation

/// From numbers to places along one side of a chart.
struct Axis {
  /// Of the left or lower end, and of the other.
  let lower: Double
  let upper: Double
  let ticks: [Double]
  private let isLogarithmic: Bool
  private let start: Double
  private let end: Double

  /// A linear axis over `values`. With `isTight` it ends at them, else at the ticks around them.
  init(_ values: ClosedRange<Double>, from start: Double, to end: Double, isTight: Bool = false, integers: Bool = false)
  {
    let spread = values.upperBound - values.lowerBound
    // Numbers that differ by rounding alone are one number.
    let isFlat = spread <= 1e-9 * abs(values.upperBound)
    let wide = !isFlat ? spread : max(abs(values.lowerBound), integers ? 1 : 1e-3)
    var step = Self.niceStep(wide / 4)
    if integers { step = max(step, 1) }
    var (low, high) = (values.lowerBound, values.upperBound)
    if !isTight || isFlat { (low, high) = ((low / step).rounded(.down) * step, (high / step).rounded(.up) * step) }
    if low == high { high = low + step }
    ticks = ((low / step).rounded(.up).exactInteger...(high / step + 1e-9).rounded(.down).exactInteger)
      .map { Double($0) * step }
    (lower, upper, isLogarithmic) = (low, high, false)
    (self.start, self.end) = (start, end)
  }

  /// A logarithmic axis over 10^`exponents`.
  init(powersOfTen exponents: ClosedRange<Int>, from start: Double, to end: Double) {
    ticks = exponents.map { pow(10, Double($0)) }
    (lower, upper, isLogarithmic) = (ticks[0], ticks[ticks.count - 1], true)
    (self.start, self.end) = (start, end)
  }

  /// Values outside are drawn at the ends.
  func place(_ value: Double) -> Double {
    let value = min(max(value, lower), upper)
    let share =
      isLogarithmic ? log(value / lower) / log(upper / lower) : (value - lower) / (upper - lower)
    return start + share * (end - start)
  }

  /// 1, 2 or 5 times a power of ten, near `value`.
  private static func niceStep(_ value: Double) -> Double {
    let power = pow(10, log10(value).rounded(.down))
    return [1, 2, 5, 10].map { $0 * power }.first { $0 >= value * 0.999 } ?? 10 * power
  }
}

extension Double {
  /// Held within what Int takes.
  fileprivate var exactInteger: Int { Int(Swift.min(Swift.max(self, -1e15), 1e15)) }
}
