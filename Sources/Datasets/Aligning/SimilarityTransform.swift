/// A rotation, one scale and a shift of the plane: shapes stay similar, nothing is mirrored.
///
///     u = a x - b y + tx        scale = sqrt(a^2 + b^2)
///     v = b x + a y + ty        rotation = atan2(b, a)
///
/// Points are in pixels, x to the right and y down; the centre of the first pixel is (0, 0).
package struct SimilarityTransform: Equatable, Sendable {
  package typealias Point = SIMD2<Double>

  package let a: Double
  package let b: Double
  package let tx: Double
  package let ty: Double

  package init(a: Double, b: Double, tx: Double, ty: Double) {
    (self.a, self.b, self.tx, self.ty) = (a, b, tx, ty)
  }

  /// The transform that brings `points` closest to `targets`: the least sum of squared distances.
  ///
  /// For p, q with their means taken away, in the plane Umeyama's solution (Least-squares estimation of transformation
  /// parameters between two point patterns, PAMI 13(4), 1991) without reflection has the closed form
  ///
  ///     a = sum (px qx + py qy) / sum |p|^2     b = sum (px qy - py qx) / sum |p|^2
  ///
  /// Nil where the points coincide, or where no rotation is better than another.
  package init?(leastSquares points: [Point], to targets: [Point]) {
    precondition(points.count == targets.count && points.count >= 2, "\(points.count) points to \(targets.count)")
    let (meanP, meanQ) = (Self.mean(points), Self.mean(targets))
    var (squares, along, across) = (0.0, 0.0, 0.0)
    for (point, target) in zip(points, targets) {
      let (p, q) = (point - meanP, target - meanQ)
      squares += (p * p).sum()
      along += (p * q).sum()
      across += p.x * q.y - p.y * q.x
    }
    guard squares > 0, squares.isFinite else { return nil }
    let (a, b) = (along / squares, across / squares)
    guard a * a + b * b > 0, a.isFinite, b.isFinite else { return nil }
    self.init(
      a: a, b: b, tx: meanQ.x - (a * meanP.x - b * meanP.y), ty: meanQ.y - (b * meanP.x + a * meanP.y))
  }

  /// Whether a reflection would bring `points` closer to `targets` than any rotation does: the determinant of their
  /// covariance is negative. Left and right are exchanged then, or the points are not what they are taken for.
  package static func isMirrored(_ points: [Point], to targets: [Point]) -> Bool {
    let (meanP, meanQ) = (mean(points), mean(targets))
    var (xx, xy, yx, yy) = (0.0, 0.0, 0.0, 0.0)
    for (point, target) in zip(points, targets) {
      let (p, q) = (point - meanP, target - meanQ)
      xx += p.x * q.x
      xy += p.x * q.y
      yx += p.y * q.x
      yy += p.y * q.y
    }
    return xx * yy - xy * yx < 0
  }

  package var scale: Double { (a * a + b * b).squareRoot() }

  package func callAsFunction(_ point: Point) -> Point {
    Point(a * point.x - b * point.y + tx, b * point.x + a * point.y + ty)
  }

  package var inverse: SimilarityTransform {
    let square = a * a + b * b
    let (a, b) = (self.a / square, -self.b / square)
    return SimilarityTransform(a: a, b: b, tx: -(a * tx - b * ty), ty: -(b * tx + a * ty))
  }

  /// sqrt(mean |T(p) - q|^2), in pixels of the targets.
  package func residual(_ points: [Point], to targets: [Point]) -> Double {
    let squares = zip(points, targets).reduce(0.0) { sum, pair in
      let d = self(pair.0) - pair.1
      return sum + (d * d).sum()
    }
    return (squares / Double(points.count)).squareRoot()
  }

  private static func mean(_ points: [Point]) -> Point { points.reduce(.zero, +) / Double(points.count) }
}
