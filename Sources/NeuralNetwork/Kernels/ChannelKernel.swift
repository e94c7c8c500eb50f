/// The passes over memory of batch normalization, fused with what follows it in a network.
///
/// x, y, dy, dx: vectors of eight channels, walked by a `ChannelView`.   r residual   s PReLU slope
/// z = a x + b with a = weight / sqrt(var + eps), b = bias - a mean;   y = PReLU(z) + r
///
/// Each function goes once over one group of one image. Training reads x twice forward (`statistics` while the
/// convolution's output is in the cache, then `apply`) and writes y once; backward reads dy and x twice (`gradientSums`
/// while dy is in the cache, then `applyGradient`) and writes dx once. Where y and dx pass in pieces (`PieceSchedule`),
/// they stay in the cache.
///
/// Concrete vectors and constant flags throughout: a generic vector, or a closure that the optimizer leaves out of
/// line, goes lane by lane here, ten times slower.
struct ChannelKernel {
  typealias Vector = UnsafeMutablePointer<ChannelVector>

  let view: ChannelView

  /// Sums of (x - shift) and (x - shift)^2; a shift near the mean keeps the difference exact.
  func statistics(_ x: Vector, image: Int, group: Int, shift: ChannelVector) -> ChannelSums {
    var sums = ChannelSums()
    let step = view.positionStride
    var pointer = x + view.start(image: image, group: group)
    var left = view.positions
    while left > 0 {
      var n = min(left, ChannelSums.stretch)
      left &-= n
      var (s0, s1, s2, s3) = (ChannelVector.zero, ChannelVector.zero, ChannelVector.zero, ChannelVector.zero)
      var (q0, q1, q2, q3) = (s0, s0, s0, s0)
      while n >= 4 {
        let d0 = pointer[0] - shift
        let d1 = pointer[step] - shift
        let d2 = pointer[2 &* step] - shift
        let d3 = pointer[3 &* step] - shift
        s0 += d0
        s1 += d1
        s2 += d2
        s3 += d3
        q0.addProduct(d0, d0)
        q1.addProduct(d1, d1)
        q2.addProduct(d2, d2)
        q3.addProduct(d3, d3)
        pointer += 4 &* step
        n &-= 4
      }
      while n > 0 {
        let d = pointer[0] - shift
        s0 += d
        q0.addProduct(d, d)
        pointer += step
        n &-= 1
      }
      sums.carry((s0 + s1) + (s2 + s3), (q0 + q1) + (q2 + q3))
    }
    return sums
  }

  /// y = PReLU(a x + b) + r; slope and residual are optional. y may be x or r.
  func apply(
    _ x: Vector, to y: Vector, image: Int, group: Int, a: ChannelVector, b: ChannelVector, slope: ChannelVector?,
    residual: Vector?
  ) {
    let s = slope ?? .zero
    let r = residual ?? x
    switch (slope != nil, residual != nil) {
    case (false, false): apply(x, y, image, group, a, b, s, r, prelu: false, adds: false)
    case (true, false): apply(x, y, image, group, a, b, s, r, prelu: true, adds: false)
    case (false, true): apply(x, y, image, group, a, b, s, r, prelu: false, adds: true)
    case (true, true): apply(x, y, image, group, a, b, s, r, prelu: true, adds: true)
    }
  }

  @inline(__always)
  private func apply(
    _ x: Vector, _ y: Vector, _ image: Int, _ group: Int, _ a: ChannelVector, _ b: ChannelVector, _ s: ChannelVector,
    _ r: Vector, prelu: Bool, adds: Bool
  ) {
    let step = view.positionStride
    let start = view.start(image: image, group: group)
    var i = start
    for _ in 0..<view.positions {
      var z = b.addingProduct(x[i], a)
      if prelu { z = (z * s).replacing(with: z, where: z .> ChannelVector.zero) }
      if adds { z += r[i] }
      y[i] = z
      i &+= step
    }
  }

  /// Sums of dz, dz (x - mean) and the slope's gradient; `other`, where given, is first added to dy.
  func gradientSums(
    _ dy: Vector, adding other: Vector?, _ x: Vector, image: Int, group: Int, a: ChannelVector, b: ChannelVector,
    mean: ChannelVector, slope: ChannelVector?
  ) -> ChannelSums {
    let s = slope ?? .zero
    let o = other ?? dy
    return switch (slope != nil, other != nil) {
    case (false, false): sums(dy, o, x, image, group, a, b, mean, s, prelu: false, adds: false)
    case (true, false): sums(dy, o, x, image, group, a, b, mean, s, prelu: true, adds: false)
    case (false, true): sums(dy, o, x, image, group, a, b, mean, s, prelu: false, adds: true)
    case (true, true): sums(dy, o, x, image, group, a, b, mean, s, prelu: true, adds: true)
    }
  }

  @inline(__always)
  private func sums(
    _ dy: Vector, _ other: Vector, _ x: Vector, _ image: Int, _ group: Int, _ a: ChannelVector, _ b: ChannelVector,
    _ mean: ChannelVector, _ slope: ChannelVector, prelu: Bool, adds: Bool
  ) -> ChannelSums {
    var sums = ChannelSums()
    let step = view.positionStride
    var i = view.start(image: image, group: group)
    var left = view.positions
    while left > 0 {
      var n = min(left, ChannelSums.stretch)
      left &-= n
      var (s0, q0, t0) = (ChannelVector.zero, ChannelVector.zero, ChannelVector.zero)
      var (s1, q1, t1) = (s0, s0, s0)
      while n > 0 {
        add(dy, other, x, i, a, b, mean, slope, &s0, &q0, &t0, prelu: prelu, adds: adds)
        i &+= step
        if n > 1 {
          add(dy, other, x, i, a, b, mean, slope, &s1, &q1, &t1, prelu: prelu, adds: adds)
          i &+= step
        }
        n &-= 2
      }
      sums.carry(s0 + s1, q0 + q1, t0 + t1)
    }
    return sums
  }

  @inline(__always)
  private func add(
    _ dy: Vector, _ other: Vector, _ x: Vector, _ i: Int, _ a: ChannelVector, _ b: ChannelVector,
    _ mean: ChannelVector, _ slope: ChannelVector, _ s: inout ChannelVector, _ q: inout ChannelVector,
    _ t: inout ChannelVector, prelu: Bool, adds: Bool
  ) {
    var g = dy[i]
    if adds {
      g += other[i]
      dy[i] = g
    }
    let value = x[i]
    if prelu {
      let z = b.addingProduct(value, a)
      let isPositive = z .> ChannelVector.zero
      t += (g * z).replacing(with: ChannelVector.zero, where: isPositive)
      g = (g * slope).replacing(with: g, where: isPositive)
    }
    s += g
    q.addProduct(g, value - mean)
  }

  /// dx = a dz + c x + d, where c and d carry the statistics' own gradients. dx may be dy.
  func applyGradient(
    _ dy: Vector, _ x: Vector, to dx: Vector, image: Int, group: Int, a: ChannelVector, b: ChannelVector,
    c: ChannelVector, d: ChannelVector, slope: ChannelVector?
  ) {
    let step = view.positionStride
    var i = view.start(image: image, group: group)
    if let slope {
      for _ in 0..<view.positions {
        let value = x[i]
        let g = dy[i]
        let z = b.addingProduct(value, a)
        let dz = (g * slope).replacing(with: g, where: z .> ChannelVector.zero)
        dx[i] = d.addingProduct(value, c).addingProduct(dz, a)
        i &+= step
      }
    } else {
      for _ in 0..<view.positions {
        dx[i] = d.addingProduct(x[i], c).addingProduct(dy[i], a)
        i &+= step
      }
    }
  }
}
