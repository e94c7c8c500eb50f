/// Rows of nine values, the taps of a 3 x 3 filter, to vectors with a lane of each row, and back: eight of them by
/// shuffles of whole registers, the ninth one by one.
///
/// Not inlined: among other operations on the same values the optimizer takes the vectors apart.
extension SIMD8<Float> {
  @usableFromInline typealias Eight = (Self, Self, Self, Self, Self, Self, Self, Self)

  /// Neighbours of two rows side by side: columns 0, 1, 4, 5, and 2, 3, 6, 7.
  @inline(__always)
  private static func pairs(_ x: Self, _ y: Self) -> (Self, Self) {
    (Self(x[0], y[0], x[1], y[1], x[4], y[4], x[5], y[5]), Self(x[2], y[2], x[3], y[3], x[6], y[6], x[7], y[7]))
  }

  @inline(__always)
  private static func fours(_ x: Self, _ y: Self) -> (Self, Self) {
    (Self(x[0], x[1], y[0], y[1], x[4], x[5], y[4], y[5]), Self(x[2], x[3], y[2], y[3], x[6], x[7], y[6], y[7]))
  }

  @inline(__always)
  private static func halves(_ x: Self, _ y: Self) -> (Self, Self) {
    (Self(lowHalf: x.lowHalf, highHalf: y.lowHalf), Self(lowHalf: x.highHalf, highHalf: y.highHalf))
  }

  /// The first eight columns of eight rows.
  @inline(__always)
  private static func columns(_ rows: UnsafePointer<Float>, _ stride: Int) -> Eight {
    @inline(__always) func row(_ i: Int) -> Self { Self(from: rows + i &* stride) }
    let (a, b) = pairs(row(0), row(1))
    let (c, d) = pairs(row(2), row(3))
    let (e, f) = pairs(row(4), row(5))
    let (g, h) = pairs(row(6), row(7))
    let ((a0, a1), (a2, a3)) = (fours(a, c), fours(b, d))
    let ((b0, b1), (b2, b3)) = (fours(e, g), fours(f, h))
    let ((c0, c4), (c1, c5)) = (halves(a0, b0), halves(a1, b1))
    let ((c2, c6), (c3, c7)) = (halves(a2, b2), halves(a3, b3))
    return (c0, c1, c2, c3, c4, c5, c6, c7)
  }

  @usableFromInline @inline(never)
  static func transposeNine(
    rows: UnsafePointer<Float>, stride: Int, columns: UnsafeMutablePointer<Float>, columnStride: Int
  ) {
    let result = Self.columns(rows, stride)
    result.0.store(to: columns)
    result.1.store(to: columns + columnStride)
    result.2.store(to: columns + 2 &* columnStride)
    result.3.store(to: columns + 3 &* columnStride)
    result.4.store(to: columns + 4 &* columnStride)
    result.5.store(to: columns + 5 &* columnStride)
    result.6.store(to: columns + 6 &* columnStride)
    result.7.store(to: columns + 7 &* columnStride)
    let (low, high) = (rows + 8, rows + (8 &+ 4 &* stride))
    Self(
      low[0], low[stride], low[2 &* stride], low[3 &* stride], high[0], high[stride], high[2 &* stride],
      high[3 &* stride]
    ).store(to: columns + 8 &* columnStride)
  }

  @usableFromInline @inline(never)
  static func addTransposedNine(
    columns: UnsafePointer<Float>, columnStride: Int, toRows rows: UnsafeMutablePointer<Float>, stride: Int
  ) {
    let result = Self.columns(columns, columnStride)
    let last = columns + 8 &* columnStride
    @inline(__always) func add(_ values: Self, _ row: Int) {
      let target = rows + row &* stride
      (Self(from: target) + values).store(to: target)
      target[8] += last[row]
    }
    add(result.0, 0)
    add(result.1, 1)
    add(result.2, 2)
    add(result.3, 3)
    add(result.4, 4)
    add(result.5, 5)
    add(result.6, 6)
    add(result.7, 7)
  }
}

extension FloatVector {
  /// Nine values from each of `lanes` rows, `stride` apart: vector i, with a lane of each row, goes to columns + i lanes.
  @inlinable @inline(__always)
  static func transposeNine(rows: UnsafePointer<Float>, stride: Int, columns: UnsafeMutablePointer<Float>) {
    var lane = 0
    while lane < lanes {
      SIMD8.transposeNine(
        rows: rows + lane &* stride, stride: stride, columns: columns + lane, columnStride: lanes)
      lane &+= 8
    }
  }

  /// The way back, adding to the rows.
  @inlinable @inline(__always)
  static func addTransposedNine(
    columns: UnsafePointer<Float>, toRows rows: UnsafeMutablePointer<Float>, stride: Int
  ) {
    var lane = 0
    while lane < lanes {
      SIMD8.addTransposedNine(
        columns: columns + lane, columnStride: lanes, toRows: rows + lane &* stride, stride: stride)
      lane &+= 8
    }
  }
}
