/// How Winograd's minimal filtering F(2 x 2, 3 x 3) cuts images into tiles, and its transforms of vectors of channels.
///
/// A 3 x 3 convolution of stride 1 and padding 1 makes 2 x 2 outputs of 4 x 4 inputs with 16 products per pair of
/// channels in place of 36:
///
///     y = A' [(G g G') o (B' d B)] A        d (4, 4) input   g (3, 3) weight   y (2, 2) output   ' transposed
///     dg = G' [(A dy A') o (B' d B)] G      its adjoint
///
/// Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks", sections 3 and 4.1; Winograd 1980. The
/// matrices hold 0, 1, -1 and, in G, 1/2: rounding stays that of the direct sum.
struct WinogradTiles {
  typealias Vector = UnsafeMutablePointer<ChannelVector>

  /// Products per tile: positions of the transformed 4 x 4.
  static let positions = 16

  let height: Int
  let width: Int
  let rows: Int
  let columns: Int

  init(_ shape: Shape) {
    height = shape.height
    width = shape.width
    rows = (height + 1) / 2
    columns = (width + 1) / 2
  }

  var perImage: Int { rows * columns }

  /// Whether F(2 x 2, 3 x 3) computes this layer, and with clearly fewer products: not where most of a tile is padding.
  ///
  /// Its kernels work on blocks of eight channels. Where blocks have sixteen (AVX-512), oneDNN's direct kernels are
  /// twice as fast as ours.
  static func suit(_ layer: Convolution, _ shape: Shape) -> Bool {
    let tiles = WinogradTiles(shape)
    return DNN.channelBlock == ChannelView.lanes && shape.layout == .blocked
      && layer.kernel == 3 && layer.stride == 1 && layer.padding == 1 && layer.groups == 1
      && layer.inputs % TileProduct.columns == 0 && layer.outputs % TileProduct.columns == 0
      && 10 * positions * tiles.perImage <= 8 * 9 * shape.positions
  }

  /// Calls `body` with each tile of `range` (counted over the images from the first), its number within the range, and
  /// where its first output lies.
  @inline(__always)
  func forEach(_ range: Range<Int>, _ body: (_ index: Int, _ image: Int, _ y: Int, _ x: Int) -> Void) {
    var image = range.lowerBound / perImage
    var row = range.lowerBound % perImage / columns
    var column = range.lowerBound % columns
    for index in 0..<range.count {
      body(index, image, 2 &* row, 2 &* column)
      column &+= 1
      if column == columns {
        column = 0
        row &+= 1
        if row == rows { (row, image) = (0, image &+ 1) }
      }
    }
  }

  /// B' d B of the tile whose first output is (y, x), each of its 16 vectors `plane` Floats after the one before.
  ///
  /// `x0`: one group of eight channels of one image.
  @inline(__always)
  func transformInput(_ x0: Vector, y: Int, x: Int, into target: UnsafeMutablePointer<Float>, plane: Int) {
    let zero = ChannelVector.zero
    var d00 = zero, d01 = zero, d02 = zero, d03 = zero
    var d10 = zero, d11 = zero, d12 = zero, d13 = zero
    var d20 = zero, d21 = zero, d22 = zero, d23 = zero
    var d30 = zero, d31 = zero, d32 = zero, d33 = zero
    let (hasLeft, hasRight) = (x > 0, x &+ 2 < width)
    // The second output's column is there but for an odd width.
    let hasMiddle = x &+ 1 < width
    @inline(__always) func load(
      _ row: Int, _ a: inout ChannelVector, _ b: inout ChannelVector, _ c: inout ChannelVector,
      _ d: inout ChannelVector
    ) {
      guard row >= 0 && row < height else { return }
      let line = x0 + (row &* width &+ x)
      if hasLeft { a = line[-1] }
      b = line[0]
      if hasMiddle { c = line[1] }
      if hasRight { d = line[2] }
    }
    load(y &- 1, &d00, &d01, &d02, &d03)
    load(y, &d10, &d11, &d12, &d13)
    load(y &+ 1, &d20, &d21, &d22, &d23)
    load(y &+ 2, &d30, &d31, &d32, &d33)
    @inline(__always) func write(
      _ row: Int, _ a: ChannelVector, _ b: ChannelVector, _ c: ChannelVector, _ d: ChannelVector
    ) {
      let start = target + 4 &* row &* plane
      store8(a - c, start)
      store8(b + c, start + plane)
      store8(c - b, start + 2 &* plane)
      store8(b - d, start + 3 &* plane)
    }
    write(0, d00 - d20, d01 - d21, d02 - d22, d03 - d23)
    write(1, d10 + d20, d11 + d21, d12 + d22, d13 + d23)
    write(2, d20 - d10, d21 - d11, d22 - d12, d23 - d13)
    write(3, d10 - d30, d11 - d31, d12 - d32, d13 - d33)
  }

  /// A dy A' of the tile whose first output is (y, x), its 16 vectors `plane` Floats apart.
  @inline(__always)
  func transformGradient(_ dy: Vector, y: Int, x: Int, into target: UnsafeMutablePointer<Float>, plane: Int) {
    let line = dy + (y &* width &+ x)
    let (hasRight, hasBelow) = (x &+ 1 < width, y &+ 1 < height)
    let a = line[0]
    let b = hasRight ? line[1] : .zero
    let c = hasBelow ? line[width] : .zero
    let d = hasRight && hasBelow ? line[width &+ 1] : .zero
    @inline(__always) func write(_ row: Int, _ left: ChannelVector, _ right: ChannelVector) {
      let start = target + 4 &* row &* plane
      store8(left, start)
      store8(left + right, start + plane)
      store8(left - right, start + 2 &* plane)
      store8(-right, start + 3 &* plane)
    }
    write(0, a, b)
    write(1, a + c, b + d)
    write(2, a - c, b - d)
    write(3, -c, -d)
  }

  /// y = A' m A + bias of the tile whose first output is (y, x), from 16 vectors `plane` Floats apart.
  @inline(__always)
  func transformOutput(
    _ source: UnsafePointer<Float>, plane: Int, bias: ChannelVector, into result: Vector, y: Int, x: Int
  ) {
    @inline(__always) func read(_ row: Int) -> (ChannelVector, ChannelVector) {
      let start = source + 4 &* row &* plane
      let (a, b) = (load8(start), load8(start + plane))
      let (c, d) = (load8(start + 2 &* plane), load8(start + 3 &* plane))
      return (a + b + c, b - c - d)
    }
    let (p0, q0) = read(0)
    let (p1, q1) = read(1)
    let (p2, q2) = read(2)
    let (p3, q3) = read(3)
    let line = result + (y &* width &+ x)
    let (hasRight, hasBelow) = (x &+ 1 < width, y &+ 1 < height)
    line[0] = p0 + p1 + p2 + bias
    if hasRight { line[1] = q0 + q1 + q2 + bias }
    if hasBelow { line[width] = p1 - p2 - p3 + bias }
    if hasRight && hasBelow { line[width &+ 1] = q1 - q2 - q3 + bias }
  }

  /// Floats from one plane to the next: an odd number of cache lines, so that the 16 planes spread over all sets.
  static func oddLines(_ count: Int) -> Int {
    let line = 16
    return ((count + line - 1) / line | 1) * line
  }
}
