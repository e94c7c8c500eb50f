/// One image of a vector's worth of channels (height, width, L) that a depthwise 3 x 3 convolution with padding 1 reads,
/// and the one that it writes: (H', W', L) with H' = (H - 1) / stride + 1.
///
/// w (3, 3, L), row-major. Each output is written once. Four outputs of a row are computed at a time: a row of the
/// kernel takes 12 multiply-adds of 6 vectors (stride 1) or 9 (stride 2) out of the first-level cache.
@usableFromInline
package struct DepthwiseImage: Sendable {
  @usableFromInline package let height: Int
  @usableFromInline package let width: Int
  @usableFromInline package let stride: Int
  @usableFromInline package let outputHeight: Int
  @usableFromInline package let outputWidth: Int

  package init(height: Int, width: Int, stride: Int) {
    precondition(stride == 1 || stride == 2, "A depthwise kernel of stride \(stride)")
    self.height = height
    self.width = width
    self.stride = stride
    outputHeight = (height - 1) / stride + 1
    outputWidth = (width - 1) / stride + 1
  }

  /// Outputs j ... j + 3 of a row, all of whose columns are inside.
  @inlinable @inline(__always)
  func four<Vector: FloatVector>(
    _: Vector.Type, _ corner: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ rows: Range<Int>, _ j: Int,
    _ y: UnsafeMutablePointer<Float>
  ) {
    let lanes = Vector.lanes
    var (a, b, c, d) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
    var row = rows.lowerBound
    while row < rows.upperBound {
      let x = corner + (row &* width &+ stride &* j) &* lanes
      var column = 0
      while column < 3 {
        let tap = Vector(from: w + (3 &* row &+ column) &* lanes)
        a.addProduct(Vector(from: x + column &* lanes), tap)
        b.addProduct(Vector(from: x + (column &+ stride) &* lanes), tap)
        c.addProduct(Vector(from: x + (column &+ 2 &* stride) &* lanes), tap)
        d.addProduct(Vector(from: x + (column &+ 3 &* stride) &* lanes), tap)
        column &+= 1
      }
      row &+= 1
    }
    let y = y + j &* lanes
    a.store(to: y)
    b.store(to: y + lanes)
    c.store(to: y + 2 &* lanes)
    d.store(to: y + 3 &* lanes)
  }

  /// Output j of a row, whose first or last column may be outside.
  @inlinable @inline(__always)
  func one<Vector: FloatVector>(
    _: Vector.Type, _ corner: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ rows: Range<Int>, _ j: Int,
    _ y: UnsafeMutablePointer<Float>
  ) {
    let lanes = Vector.lanes
    let center = stride &* j
    var sum = Vector.zero
    var row = rows.lowerBound
    while row < rows.upperBound {
      let x = corner + (row &* width &+ center) &* lanes
      let taps = w + 3 &* row &* lanes
      if center > 0 { sum.addProduct(Vector(from: x), Vector(from: taps)) }
      sum.addProduct(Vector(from: x + lanes), Vector(from: taps + lanes))
      if center &+ 1 < width { sum.addProduct(Vector(from: x + 2 &* lanes), Vector(from: taps + 2 &* lanes)) }
      row &+= 1
    }
    sum.store(to: y + j &* lanes)
  }
}

extension KernelSet {
  /// y[i, j] = sum over r, c of w[r, c] x[stride i + r - 1, stride j + c - 1]
  @inlinable @inline(__always)
  package static func convolve(
    _ image: DepthwiseImage, _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>
  ) {
    let lanes = Vector.lanes
    var i = 0
    while i < image.outputHeight {
      let top = image.stride &* i &- 1
      let rows = max(0, -top)..<min(3, image.height &- top)
      // Where the top row, and the column left of the image, would be.
      let corner = x + (top &* image.width &- 1) &* lanes
      let target = y + i &* image.outputWidth &* lanes
      image.one(Vector.self, corner, w, rows, 0, target)
      var j = 1
      while image.stride &* (j &+ 3) &+ 1 < image.width {
        image.four(Vector.self, corner, w, rows, j, target)
        j &+= 4
      }
      while j < image.outputWidth {
        image.one(Vector.self, corner, w, rows, j, target)
        j &+= 1
      }
      i &+= 1
    }
  }
}
