import VectorKernels

/// y = factor x. Both may be the same memory.
func multiply(_ x: UnsafePointer<Float>, by factor: Float, into y: UnsafeMutablePointer<Float>, count: Int) {
  var i = 0
  while i &+ 8 <= count {
    (SIMD8(from: x + i) * factor).store(to: y + i)
    i &+= 8
  }
  while i < count {
    y[i] = x[i] * factor
    i &+= 1
  }
}

/// n of one row: sums in 32 Floats, joined in Double. Every path takes this one, so the bits agree.
func rowNorm(_ row: UnsafePointer<Float>, count: Int) -> Float {
  var (a, b, c, d) = (SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero)
  var k = 0
  while k &+ 32 <= count {
    let (p, q, r, s) = (
      SIMD8(from: row + k), SIMD8(from: row + (k &+ 8)), SIMD8(from: row + (k &+ 16)), SIMD8(from: row + (k &+ 24))
    )
    a.addProduct(p, p)
    b.addProduct(q, q)
    c.addProduct(r, r)
    d.addProduct(s, s)
    k &+= 32
  }
  var sum = 0.0
  for lane in 0..<8 { sum += Double(a[lane]) + Double(b[lane]) + Double(c[lane]) + Double(d[lane]) }
  while k < count {
    sum += Double(row[k]) * Double(row[k])
    k &+= 1
  }
  return Float((sum + L2Normalize.epsilon).squareRoot())
}
