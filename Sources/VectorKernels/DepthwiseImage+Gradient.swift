/// The input's gradient of a depthwise convolution of stride 2; that of stride 1 is a convolution with the kernel turned
/// by half a circle.
extension KernelSet {
  /// dx[s, t] = sum over r, c of w[r, c] dy[(s + 1 - r) / 2, (t + 1 - c) / 2] where both divide.
  ///
  /// Even rows of dx see the kernel's middle row and one row of dy; odd rows the outer two, and two of dy. Columns
  /// likewise, so that two neighbours share three taps and two columns.
  @inlinable @inline(__always)
  package static func spreadGradient(
    _ image: DepthwiseImage, _ dy: UnsafePointer<Float>, _ w: UnsafePointer<Float>,
    into dx: UnsafeMutablePointer<Float>
  ) {
    let lanes = Vector.lanes
    var s = 0
    while s < image.height {
      let first = s >> 1
      let isOdd = s & 1 == 1
      // Kernel rows 1, or 2 and then 0 where dy has another row.
      let kernel = w + (isOdd ? 6 : 3) &* lanes
      let count = isOdd && first &+ 1 < image.outputHeight ? 2 : 1
      let source = dy + first &* image.outputWidth &* lanes
      let target = dx + s &* image.width &* lanes
      var j = 0
      while j &+ 4 < image.outputWidth {
        image.spreadFour(Vector.self, source, kernel, count, j, target)
        j &+= 4
      }
      while j < image.outputWidth {
        image.spreadOne(Vector.self, source, kernel, count, j, target)
        j &+= 1
      }
      s &+= 1
    }
  }
}

extension DepthwiseImage {
  /// Columns 2 j ... 2 j + 7 of dx from j ... j + 4 of dy.
  @inlinable @inline(__always)
  func spreadFour<Vector: FloatVector>(
    _: Vector.Type, _ dy: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ rows: Int, _ j: Int,
    _ dx: UnsafeMutablePointer<Float>
  ) {
    let lanes = Vector.lanes
    var (a0, a1, b0, b1) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
    var (c0, c1, d0, d1) = (a0, a0, a0, a0)
    var (x, kernel) = (dy + j &* lanes, w)
    var row = 0
    while row < rows {
      let (left, middle) = (Vector(from: kernel), Vector(from: kernel + lanes))
      let right = Vector(from: kernel + 2 &* lanes)
      let (x0, x1) = (Vector(from: x), Vector(from: x + lanes))
      let (x2, x3) = (Vector(from: x + 2 &* lanes), Vector(from: x + 3 &* lanes))
      let x4 = Vector(from: x + 4 &* lanes)
      a0.addProduct(x0, middle)
      a1.addProduct(x0, right)
      a1.addProduct(x1, left)
      b0.addProduct(x1, middle)
      b1.addProduct(x1, right)
      b1.addProduct(x2, left)
      c0.addProduct(x2, middle)
      c1.addProduct(x2, right)
      c1.addProduct(x3, left)
      d0.addProduct(x3, middle)
      d1.addProduct(x3, right)
      d1.addProduct(x4, left)
      x += outputWidth &* lanes
      kernel -= 6 &* lanes
      row &+= 1
    }
    let target = dx + 2 &* j &* lanes
    a0.store(to: target)
    a1.store(to: target + lanes)
    b0.store(to: target + 2 &* lanes)
    b1.store(to: target + 3 &* lanes)
    c0.store(to: target + 4 &* lanes)
    c1.store(to: target + 5 &* lanes)
    d0.store(to: target + 6 &* lanes)
    d1.store(to: target + 7 &* lanes)
  }

  /// Column 2 j of dx, and 2 j + 1 where there is one.
  @inlinable @inline(__always)
  func spreadOne<Vector: FloatVector>(
    _: Vector.Type, _ dy: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ rows: Int, _ j: Int,
    _ dx: UnsafeMutablePointer<Float>
  ) {
    let lanes = Vector.lanes
    var (even, odd) = (Vector.zero, Vector.zero)
    var (x, kernel) = (dy + j &* lanes, w)
    var row = 0
    while row < rows {
      let x0 = Vector(from: x)
      even.addProduct(x0, Vector(from: kernel + lanes))
      odd.addProduct(x0, Vector(from: kernel + 2 &* lanes))
      if j &+ 1 < outputWidth { odd.addProduct(Vector(from: x + lanes), Vector(from: kernel)) }
      x += outputWidth &* lanes
      kernel -= 6 &* lanes
      row &+= 1
    }
    even.store(to: dx + 2 &* j &* lanes)
    if 2 &* j &+ 1 < width { odd.store(to: dx + (2 &* j &+ 1) &* lanes) }
  }
}
