/// The transforms of Winograd's tiles (see `WinogradTiles`), for images in blocks of L channels: L = lanes of a vector.
///
/// An image is (groups, height, width, L), and its groups are those of `groups` channels; x, y and dy are those of the
/// whole batch, ranges count its tiles. Of the 16 vectors of a transformed tile each lies `plane` Floats after the one
/// before.
extension KernelSet {
  /// V = B' d B of the tiles of `range` and of `groups` among `count`, V's rows (tiles) `rowStride` apart.
  @inlinable @inline(__always)
  package static func transformInputs(
    _ tiles: WinogradTiles, _ range: Range<Int>, _ groups: Range<Int>, of count: Int, _ x: UnsafePointer<Float>,
    into v: UnsafeMutablePointer<Float>, rowStride: Int, plane: Int
  ) {
    let area = tiles.height &* tiles.width &* Vector.lanes
    var group = groups.lowerBound
    while group < groups.upperBound {
      let target = v + group &* Vector.lanes
      var place = WinogradPlace(range.lowerBound, in: tiles)
      var index = 0
      while index < range.count {
        tiles.transformInput(
          Vector.self, x + (place.image &* count &+ group) &* area, place, into: target + index &* rowStride,
          plane: plane)
        place.advance(in: tiles)
        index &+= 1
      }
      group &+= 1
    }
  }

  /// Z = A dy A' likewise, in panels of two groups, `panel` Floats from one to the next.
  @inlinable @inline(__always)
  package static func transformGradients(
    _ tiles: WinogradTiles, _ range: Range<Int>, _ groups: Range<Int>, of count: Int, _ dy: UnsafePointer<Float>,
    into z: UnsafeMutablePointer<Float>, panel: Int, plane: Int
  ) {
    let area = tiles.height &* tiles.width &* Vector.lanes
    var group = groups.lowerBound
    while group < groups.upperBound {
      let target = z + ((group >> 1) &* panel &+ (group & 1) &* Vector.lanes)
      var place = WinogradPlace(range.lowerBound, in: tiles)
      var index = 0
      while index < range.count {
        tiles.transformGradient(
          Vector.self, dy + (place.image &* count &+ group) &* area, place,
          into: target + 2 &* index &* Vector.lanes, plane: plane)
        place.advance(in: tiles)
        index &+= 1
      }
      group &+= 1
    }
  }

  /// y = A' m A + bias of the tiles of `range` and all `count` groups, m's rows (tiles) `rowStride` apart.
  @inlinable @inline(__always)
  package static func transformOutputs(
    _ tiles: WinogradTiles, _ range: Range<Int>, groups count: Int, _ m: UnsafePointer<Float>, rowStride: Int,
    plane: Int,
    bias: UnsafePointer<Float>?, into y: UnsafeMutablePointer<Float>
  ) {
    let area = tiles.height &* tiles.width &* Vector.lanes
    var group = 0
    while group < count {
      let source = m + group &* Vector.lanes
      var shift = Vector.zero
      if let bias { shift = Vector(from: bias + group &* Vector.lanes) }
      var place = WinogradPlace(range.lowerBound, in: tiles)
      var index = 0
      while index < range.count {
        tiles.transformOutput(
          source + index &* rowStride, plane: plane, bias: shift, into: y + (place.image &* count &+ group) &* area,
          place)
        place.advance(in: tiles)
        index &+= 1
      }
      group &+= 1
    }
  }
}

extension WinogradTiles {
  /// B' d B of the tile at `place`. `x0`: one group of one image.
  @inlinable @inline(__always)
  func transformInput<Vector: FloatVector>(
    _: Vector.Type, _ x0: UnsafePointer<Float>, _ place: WinogradPlace, into target: UnsafeMutablePointer<Float>,
    plane: Int
  ) {
    let r0 = inputRow(Vector.self, x0, place, place.y &- 1)
    let r1 = inputRow(Vector.self, x0, place, place.y)
    let r2 = inputRow(Vector.self, x0, place, place.y &+ 1)
    let r3 = inputRow(Vector.self, x0, place, place.y &+ 2)
    writeInputs(r0.a - r2.a, r0.b - r2.b, r0.c - r2.c, r0.d - r2.d, target, plane)
    writeInputs(r1.a + r2.a, r1.b + r2.b, r1.c + r2.c, r1.d + r2.d, target + 4 &* plane, plane)
    writeInputs(r2.a - r1.a, r2.b - r1.b, r2.c - r1.c, r2.d - r1.d, target + 8 &* plane, plane)
    writeInputs(r1.a - r3.a, r1.b - r3.b, r1.c - r3.c, r1.d - r3.d, target + 12 &* plane, plane)
  }

  /// Four inputs of row `y`, zeros beyond the image.
  @inlinable @inline(__always)
  func inputRow<Vector: FloatVector>(
    _: Vector.Type, _ x0: UnsafePointer<Float>, _ place: WinogradPlace, _ y: Int
  ) -> (a: Vector, b: Vector, c: Vector, d: Vector) {
    var (a, b, c, d) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
    guard y >= 0 && y < height else { return (a, b, c, d) }
    let x = place.x
    let line = x0 + (y &* width &+ x) &* Vector.lanes
    if x > 0 { a = Vector(from: line - Vector.lanes) }
    b = Vector(from: line)
    // The second output's column is there but for an odd width.
    if x &+ 1 < width { c = Vector(from: line + Vector.lanes) }
    if x &+ 2 < width { d = Vector(from: line + 2 &* Vector.lanes) }
    return (a, b, c, d)
  }

  @inlinable @inline(__always)
  func writeInputs<Vector: FloatVector>(
    _ a: Vector, _ b: Vector, _ c: Vector, _ d: Vector, _ target: UnsafeMutablePointer<Float>, _ plane: Int
  ) {
    (a - c).store(to: target)
    (b + c).store(to: target + plane)
    (c - b).store(to: target + 2 &* plane)
    (b - d).store(to: target + 3 &* plane)
  }

  /// A dy A' of the tile at `place`.
  @inlinable @inline(__always)
  func transformGradient<Vector: FloatVector>(
    _: Vector.Type, _ dy: UnsafePointer<Float>, _ place: WinogradPlace, into target: UnsafeMutablePointer<Float>,
    plane: Int
  ) {
    let line = dy + (place.y &* width &+ place.x) &* Vector.lanes
    let (hasRight, hasBelow) = (place.x &+ 1 < width, place.y &+ 1 < height)
    let a = Vector(from: line)
    var (b, c, d) = (Vector.zero, Vector.zero, Vector.zero)
    if hasRight { b = Vector(from: line + Vector.lanes) }
    if hasBelow { c = Vector(from: line + width &* Vector.lanes) }
    if hasRight && hasBelow { d = Vector(from: line + (width &+ 1) &* Vector.lanes) }
    writeGradients(a, b, target, plane)
    writeGradients(a + c, b + d, target + 4 &* plane, plane)
    writeGradients(a - c, b - d, target + 8 &* plane, plane)
    writeGradients(-c, -d, target + 12 &* plane, plane)
  }

  @inlinable @inline(__always)
  func writeGradients<Vector: FloatVector>(
    _ left: Vector, _ right: Vector, _ target: UnsafeMutablePointer<Float>, _ plane: Int
  ) {
    left.store(to: target)
    (left + right).store(to: target + plane)
    (left - right).store(to: target + 2 &* plane)
    (-right).store(to: target + 3 &* plane)
  }

  /// y = A' m A + bias of the tile at `place`.
  @inlinable @inline(__always)
  func transformOutput<Vector: FloatVector>(
    _ source: UnsafePointer<Float>, plane: Int, bias: Vector, into result: UnsafeMutablePointer<Float>,
    _ place: WinogradPlace
  ) {
    let (p0, q0) = outputRow(Vector.self, source, plane)
    let (p1, q1) = outputRow(Vector.self, source + 4 &* plane, plane)
    let (p2, q2) = outputRow(Vector.self, source + 8 &* plane, plane)
    let (p3, q3) = outputRow(Vector.self, source + 12 &* plane, plane)
    let line = result + (place.y &* width &+ place.x) &* Vector.lanes
    let (hasRight, hasBelow) = (place.x &+ 1 < width, place.y &+ 1 < height)
    (p0 + p1 + p2 + bias).store(to: line)
    if hasRight { (q0 + q1 + q2 + bias).store(to: line + Vector.lanes) }
    if hasBelow { (p1 - p2 - p3 + bias).store(to: line + width &* Vector.lanes) }
    if hasRight && hasBelow { (q1 - q2 - q3 + bias).store(to: line + (width &+ 1) &* Vector.lanes) }
  }

  @inlinable @inline(__always)
  func outputRow<Vector: FloatVector>(
    _: Vector.Type, _ source: UnsafePointer<Float>, _ plane: Int
  ) -> (Vector, Vector) {
    let (a, b) = (Vector(from: source), Vector(from: source + plane))
    let (c, d) = (Vector(from: source + 2 &* plane), Vector(from: source + 3 &* plane))
    return (a + b + c, b - c - d)
  }
}
