/// How Winograd's minimal filtering cuts images into tiles: of 4 x 4 outputs, and of 2 where a side leaves 1 or 2 over.
///
/// A 3 x 3 convolution of stride 1 and padding 1 makes 4 x 4 outputs of 6 x 6 inputs with 36 products per pair of
/// channels in place of 144:
///
///     y = A' [(G g G') o (B' d B)] A        d (6, 6) input   g (3, 3) weight   y (4, 4) output   ' transposed
///     dg = G' [(A dy A') o (B' d B)] G      its adjoint
///
/// Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks", sections 3 and 4; Winograd 1980. In each
/// dimension the products are values of polynomials at the points 0, a, -a, infinity, b, -b, a = 3/4, b = 3/2 (see
/// `WinogradLine`). A tile that is short in a dimension makes 2 outputs of 4 inputs there, from the first four points of
/// the same transformed weight: 14 = 4 + 4 + 4 + 2 takes 6 + 6 + 6 + 4 products.
@usableFromInline
package struct WinogradTiles: Sendable {
  /// Outputs of a tile, and points, in each dimension.
  @usableFromInline package static let side = 4
  @usableFromInline package static let points = 6
  /// Products per tile: positions (row's point, column's point).
  @inlinable @inline(__always) package static var positions: Int { 36 }

  @usableFromInline package let height: Int
  @usableFromInline package let width: Int
  @usableFromInline package let rows: Int
  @usableFromInline package let columns: Int
  /// The first row and column of tiles that are short: the last, or one behind it.
  @usableFromInline let shortRow: Int
  @usableFromInline let shortColumn: Int

  package init(height: Int, width: Int) {
    self.height = height
    self.width = width
    rows = (height + Self.side - 1) / Self.side
    columns = (width + Self.side - 1) / Self.side
    shortRow = Self.isShort(height) ? rows - 1 : rows
    shortColumn = Self.isShort(width) ? columns - 1 : columns
  }

  package var perImage: Int { rows * columns }

  /// Of an image and a pair of channels.
  package var products: Int { (4 * rows + 2 * shortRow) * (4 * columns + 2 * shortColumn) }

  private static func isShort(_ side: Int) -> Bool { (1...2).contains(side % Self.side) }

  /// How many tiles of `range` have products at each kind of position: see `WinogradPlace.slots`.
  package func counts(_ range: Range<Int>) -> SIMD4<Int> {
    var place = WinogradPlace(range.lowerBound, in: self)
    for _ in range { place.advance(in: self) }
    return place.slots
  }

  /// The kind of a position: 1 where the column's point is one that short tiles leave out, and 2 for the row's.
  package static func kind(_ position: Int) -> Int {
    let (row, column) = position.quotientAndRemainder(dividingBy: points)
    return (row < 4 ? 0 : 2) + (column < 4 ? 0 : 1)
  }

  /// Floats from one plane to the next: an odd number of cache lines, so that planes spread over all sets.
  package static func oddLines(_ count: Int) -> Int {
    let line = 16
    return ((count + line - 1) / line | 1) * line
  }
}

/// Where a tile lies: walks over the tiles of a batch, image by image and row by row.
@usableFromInline
struct WinogradPlace {
  @usableFromInline var image: Int
  @usableFromInline var row: Int
  @usableFromInline var column: Int
  /// For each kind of position the tiles passed that have it, so that a plane holds its tiles without a gap.
  @usableFromInline var slots = SIMD4<Int>.zero

  /// The tile of this number, counted from the first image's first.
  @inlinable @inline(__always)
  init(_ tile: Int, in tiles: WinogradTiles) {
    let perImage = tiles.rows &* tiles.columns
    image = tile / perImage
    row = tile % perImage / tiles.columns
    column = tile % tiles.columns
  }

  /// Row and column of the tile's first output.
  @inlinable @inline(__always)
  var y: Int { 4 &* row }
  @inlinable @inline(__always)
  var x: Int { 4 &* column }

  @inlinable @inline(__always)
  mutating func advance(in tiles: WinogradTiles) {
    let (isTall, isWide) = (row < tiles.shortRow, column < tiles.shortColumn)
    slots &+= SIMD4(1, isWide ? 1 : 0, isTall ? 1 : 0, isTall && isWide ? 1 : 0)
    column &+= 1
    if column < tiles.columns { return }
    column = 0
    row &+= 1
    if row < tiles.rows { return }
    row = 0
    image &+= 1
  }
}

/// The places of a tile's vectors at the four kinds of position.
@usableFromInline
struct WinogradSlots {
  @usableFromInline let all: Int
  @usableFromInline let wide: Int
  @usableFromInline let tall: Int
  @usableFromInline let full: Int

  @inlinable @inline(__always)
  init(_ place: WinogradPlace, stride: Int) {
    all = place.slots.x &* stride
    wide = place.slots.y &* stride
    tall = place.slots.z &* stride
    full = place.slots.w &* stride
  }

  /// Of a column's point: offsets at the rows' first four points and at the last two.
  @inlinable @inline(__always)
  func offsets(_ column: Int) -> (low: Int, high: Int) { column < 4 ? (all, tall) : (wide, full) }
}
