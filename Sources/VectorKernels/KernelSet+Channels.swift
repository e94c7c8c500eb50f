/// Where a vector's worth of channels of one image lies: `positions` vectors, `stride` Floats apart.
@usableFromInline
package struct ChannelGroup: Sendable {
  /// The first channel: the place in rows that hold a Float per channel.
  @usableFromInline package let channel: Int
  /// Floats from the beginning of the batch to the first vector.
  @usableFromInline package let start: Int
  @usableFromInline package let stride: Int
  @usableFromInline package let positions: Int
  /// Of the whole value: so far apart are two kinds of sums.
  @usableFromInline package let channels: Int

  @inlinable
  package init(channel: Int, start: Int, stride: Int, positions: Int, channels: Int) {
    self.channel = channel
    self.start = start
    self.stride = stride
    self.positions = positions
    self.channels = channels
  }
}

/// z = a x + b per channel, and where there is a slope z = PReLU(a x + b): z where z > 0, slope z elsewhere.
///
/// Rows of a Float per channel. Batch normalization has a = weight / sqrt(var + eps), b = bias - a mean.
@usableFromInline
package struct ChannelMap {
  @usableFromInline package let a: UnsafePointer<Float>
  @usableFromInline package let b: UnsafePointer<Float>
  @usableFromInline package let slope: UnsafePointer<Float>?

  @inlinable
  package init(a: UnsafePointer<Float>, b: UnsafePointer<Float>, slope: UnsafePointer<Float>?) {
    self.a = a
    self.b = b
    self.slope = slope
  }
}

/// The passes over memory of batch normalization, fused with what follows it in a network.
///
/// x, y, dy, dx: one group of channels of one image, a vector for each position.   r residual
/// z = a x + b,   y = PReLU(z) + r: see `ChannelMap`.
///
/// Training reads x twice forward (`addMoments` while the convolution's output is in the cache, then `apply`) and writes
/// y once; backward reads dy and x twice (`addGradients` while dy is in the cache, then `applyGradient`) and writes dx
/// once. Where y and dx pass in pieces (`PieceSchedule`), they stay in the cache.
///
/// Sums are in Float over short stretches and in Double over stretches: a Float sum of a million values loses three
/// digits, a Double sum of everything would halve the speed. Sum k of channel c is sums[k * channels + c].
///
/// Flags are constants where they are inlined, so that each combination has a loop of its own.
extension KernelSet {
  /// Positions between two carries into Double.
  @inlinable @inline(__always)
  static var stretch: Int { 128 }

  /// Sums 0 and 1: x - shift and (x - shift)^2; a shift near the mean keeps the difference exact.
  @inlinable @inline(__always)
  package static func addMoments(
    _ group: ChannelGroup, _ x: UnsafePointer<Float>, shift: UnsafePointer<Float>,
    to sums: UnsafeMutablePointer<Double>
  ) {
    let shift = Vector(from: shift + group.channel)
    let step = group.stride
    var pointer = x + group.start
    var left = group.positions
    while left > 0 {
      var n = min(left, stretch)
      left &-= n
      var (s0, s1, s2, s3) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
      var (q0, q1, q2, q3) = (s0, s0, s0, s0)
      while n >= 4 {
        let d0 = Vector(from: pointer) - shift
        let d1 = Vector(from: pointer + step) - shift
        let d2 = Vector(from: pointer + 2 &* step) - shift
        let d3 = Vector(from: pointer + 3 &* step) - shift
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
        let d = Vector(from: pointer) - shift
        s0 += d
        q0.addProduct(d, d)
        pointer += step
        n &-= 1
      }
      ((s0 + s1) + (s2 + s3)).add(to: sums + group.channel)
      ((q0 + q1) + (q2 + q3)).add(to: sums + (group.channels &+ group.channel))
    }
  }

  /// y = PReLU(a x + b) + r; slope and residual are optional. y may be x or r.
  @inlinable @inline(__always)
  package static func apply(
    _ map: ChannelMap, _ group: ChannelGroup, _ x: UnsafePointer<Float>, adding residual: UnsafePointer<Float>?,
    to y: UnsafeMutablePointer<Float>
  ) {
    let r = residual ?? x
    switch (map.slope != nil, residual != nil) {
    case (false, false): apply(map, group, x, r, y, prelu: false, adds: false)
    case (true, false): apply(map, group, x, r, y, prelu: true, adds: false)
    case (false, true): apply(map, group, x, r, y, prelu: false, adds: true)
    case (true, true): apply(map, group, x, r, y, prelu: true, adds: true)
    }
  }

  @inlinable @inline(__always)
  static func apply(
    _ map: ChannelMap, _ group: ChannelGroup, _ x: UnsafePointer<Float>, _ r: UnsafePointer<Float>,
    _ y: UnsafeMutablePointer<Float>, prelu: Bool, adds: Bool
  ) {
    let (a, b) = (Vector(from: map.a + group.channel), Vector(from: map.b + group.channel))
    let slope = prelu ? Vector(from: map.slope! + group.channel) : Vector.zero
    var i = group.start
    var left = group.positions
    while left > 0 {
      var z = b.addingProduct(Vector(from: x + i), a)
      if prelu { z = z.wherePositive(z, otherwise: z * slope) }
      if adds { z += Vector(from: r + i) }
      z.store(to: y + i)
      i &+= group.stride
      left &-= 1
    }
  }

  /// Sums 0, 1 and 2: dz, dz (x - mean) and, with PReLU, the slope's gradient. `other`, where given, is first added to
  /// dy, and stays there.
  @inlinable @inline(__always)
  package static func addGradients(
    _ map: ChannelMap, _ group: ChannelGroup, _ dy: UnsafeMutablePointer<Float>, adding other: UnsafePointer<Float>?,
    _ x: UnsafePointer<Float>, mean: UnsafePointer<Float>, to sums: UnsafeMutablePointer<Double>
  ) {
    let o = other ?? UnsafePointer(dy)
    switch (map.slope != nil, other != nil) {
    case (false, false): addGradients(map, group, dy, o, x, mean, sums, prelu: false, adds: false)
    case (true, false): addGradients(map, group, dy, o, x, mean, sums, prelu: true, adds: false)
    case (false, true): addGradients(map, group, dy, o, x, mean, sums, prelu: false, adds: true)
    case (true, true): addGradients(map, group, dy, o, x, mean, sums, prelu: true, adds: true)
    }
  }

  @inlinable @inline(__always)
  static func addGradients(
    _ map: ChannelMap, _ group: ChannelGroup, _ dy: UnsafeMutablePointer<Float>, _ other: UnsafePointer<Float>,
    _ x: UnsafePointer<Float>, _ mean: UnsafePointer<Float>, _ sums: UnsafeMutablePointer<Double>,
    prelu: Bool, adds: Bool
  ) {
    let (a, b) = (Vector(from: map.a + group.channel), Vector(from: map.b + group.channel))
    let slope = prelu ? Vector(from: map.slope! + group.channel) : Vector.zero
    let mean = Vector(from: mean + group.channel)

    @inline(__always)
    func add(_ i: Int, _ s: inout Vector, _ q: inout Vector, _ t: inout Vector) {
      var g = Vector(from: dy + i)
      if adds {
        g += Vector(from: other + i)
        g.store(to: dy + i)
      }
      let value = Vector(from: x + i)
      if prelu {
        let z = b.addingProduct(value, a)
        t += Vector.zero.wherePositive(z, otherwise: g * z)
        g = g.wherePositive(z, otherwise: g * slope)
      }
      s += g
      q.addProduct(g, value - mean)
    }

    var i = group.start
    var left = group.positions
    while left > 0 {
      var n = min(left, stretch)
      left &-= n
      // Two of each, for an addition takes longer than the loads.
      var (s0, q0, t0) = (Vector.zero, Vector.zero, Vector.zero)
      var (s1, q1, t1) = (s0, s0, s0)
      while n > 1 {
        add(i, &s0, &q0, &t0)
        add(i &+ group.stride, &s1, &q1, &t1)
        i &+= 2 &* group.stride
        n &-= 2
      }
      if n > 0 {
        add(i, &s0, &q0, &t0)
        i &+= group.stride
      }
      (s0 + s1).add(to: sums + group.channel)
      (q0 + q1).add(to: sums + (group.channels &+ group.channel))
      if prelu { (t0 + t1).add(to: sums + (2 &* group.channels &+ group.channel)) }
    }
  }

  /// dx = a dz + c x + d, where c and d carry the statistics' own gradients. dx may be dy.
  @inlinable @inline(__always)
  package static func applyGradient(
    _ map: ChannelMap, _ group: ChannelGroup, _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>,
    c: UnsafePointer<Float>, d: UnsafePointer<Float>, to dx: UnsafeMutablePointer<Float>
  ) {
    if map.slope != nil {
      applyGradient(map, group, dy, x, c, d, dx, prelu: true)
    } else {
      applyGradient(map, group, dy, x, c, d, dx, prelu: false)
    }
  }

  @inlinable @inline(__always)
  static func applyGradient(
    _ map: ChannelMap, _ group: ChannelGroup, _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>,
    _ c: UnsafePointer<Float>, _ d: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>, prelu: Bool
  ) {
    let (a, b) = (Vector(from: map.a + group.channel), Vector(from: map.b + group.channel))
    let (c, d) = (Vector(from: c + group.channel), Vector(from: d + group.channel))
    let slope = prelu ? Vector(from: map.slope! + group.channel) : Vector.zero
    var i = group.start
    var left = group.positions
    while left > 0 {
      let value = Vector(from: x + i)
      var g = Vector(from: dy + i)
      if prelu { g = g.wherePositive(b.addingProduct(value, a), otherwise: g * slope) }
      d.addingProduct(value, c).addingProduct(g, a).store(to: dx + i)
      i &+= group.stride
      left &-= 1
    }
  }
}
