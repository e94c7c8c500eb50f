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
    if !isTight || isFlat {
      // What is a tick but for rounding is that tick: 0.6 / 0.1 is less than 6.
      (low, high) = ((low / step + 1e-9).rounded(.down) * step, (high / step - 1e-9).rounded(.up) * step)
    }
    if low == high { high = low + step }
    ticks = ((low / step - 1e-9).rounded(.up).exactInteger...(high / step + 1e-9).rounded(.down).exactInteger)
      .map { Double($0) * step }
    (lower, upper, isLogarithmic) = (low, high, false)
    (self.start, self.end) = (start, end)
  }

  /// A logarithmic axis that ends at `values`, which are above 0. It has a tick at each power of ten, and at 2 and 5
  /// times those where they are few.
  init(logarithmic values: ClosedRange<Double>, from start: Double, to end: Double) {
    (lower, upper, isLogarithmic) = (values.lowerBound, values.upperBound, true)
    (self.start, self.end) = (start, end)
    let exponents = Int(log10(lower).rounded(.down))...Int(log10(upper).rounded(.up))
    let (least, most) = (lower * (1 - 1e-9), upper * (1 + 1e-9))
    func ticks(_ factors: [Double]) -> [Double] {
      let all: [Double] = exponents.flatMap { exponent in
        let power = pow(10, Double(exponent))
        return factors.map { $0 * power }
      }
      return all.filter { $0 >= least && $0 <= most }
    }
    let decades = ticks([1])
    self.ticks = decades.count > 2 ? decades : ticks([1, 2, 5])
  }

  /// The ticks' places and numbers.
  func marks(_ text: (Double) -> String = Figure.short) -> [Chart.Tick] {
    ticks.map { Chart.Tick(place: Chart.text(place($0)), text: text($0)) }
  }

  /// Values outside are drawn at the ends.
  func place(_ value: Double) -> Double {
    let value = min(max(value, lower), upper)
    let share =
      isLogarithmic ? log(value / lower) / log(upper / lower) : (value - lower) / (upper - lower)
    return start + share * (end - start)
  }

  /// The least of 1, 2 and 5 times powers of ten that is about `value` or more.
  static func niceStep(_ value: Double) -> Double {
    let power = pow(10, log10(value).rounded(.down))
    return [1, 2, 5, 10].map { $0 * power }.first { $0 >= value * 0.999 } ?? 10 * power
  }
}

extension Double {
  /// Held within what Int takes.
  fileprivate var exactInteger: Int { Int(Swift.min(Swift.max(self, -1e15), 1e15)) }
}
