/// Passes over memory that do one thing to each element.
package enum Elementwise {
  /// into += from. Reads two streams, writes one.
  package static func add(_ from: UnsafeMutableBufferPointer<Float>, into: UnsafeMutableBufferPointer<Float>) {
    precondition(from.count == into.count, "Adding \(from.count) elements to \(into.count)")
    guard let source = from.baseAddress, let target = into.baseAddress else { return }
    Parallel.ranges(from.count) { range in
      for i in range { target[i] += source[i] }
    }
  }

  package static func multiply(_ values: UnsafeMutableBufferPointer<Float>, by factor: Float) {
    guard let target = values.baseAddress else { return }
    Parallel.ranges(values.count) { range in
      for i in range { target[i] *= factor }
    }
  }

  /// a = b + s c, McCalpin's triad: what the memory gives at most. Reads two streams, writes one.
  package static func triad(
    _ b: UnsafeMutableBufferPointer<Float>, plus s: Float, times c: UnsafeMutableBufferPointer<Float>,
    into a: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(a.count == b.count && a.count == c.count, "\(b.count) + s \(c.count) into \(a.count)")
    let count = a.count
    guard let a = a.baseAddress, let b = b.baseAddress, let c = c.baseAddress else { return }
    Parallel.ranges(count) { range in
      for i in range { a[i] = b[i] + s * c[i] }
    }
  }
}
