/// How Winograd's minimal filtering F(2 x 2, 3 x 3) cuts images into tiles.
///
/// A 3 x 3 convolution of stride 1 and padding 1 makes 2 x 2 outputs of 4 x 4 inputs with 16 products per pair of
/// channels in place of 36:
///
///     y = A' [(G g G') o (B' d B)] A        d (4, 4) input   g (3, 3) weight   y (2, 2) output   ' transposed
///     dg = G' [(A dy A') o (B' d B)] G      its adjoint
///
/// Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks", sections 3 and 4.1; Winograd 1980. The
/// matrices hold 0, 1, -1 and, in G, 1/2: the transforms add and halve, so they round little more than the direct sum.
@usableFromInline
package struct WinogradTiles: Sendable {
  /// Products per tile: positions of the transformed 4 x 4.
  package static let positions = 16

  @usableFromInline package let height: Int
  @usableFromInline package let width: Int
  @usableFromInline package let rows: Int
  @usableFromInline package let columns: Int

  package init(height: Int, width: Int) {
    self.height = height
    self.width = width
    rows = (height + 1) / 2
    columns = (width + 1) / 2
  }

  package var perImage: Int { rows * columns }

  /// Floats from one plane to the next: an odd number of cache lines, so that the 16 planes spread over all sets.
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
  var y: Int { 2 &* row }
  @inlinable @inline(__always)
  var x: Int { 2 &* column }

  @inlinable @inline(__always)
  mutating func advance(in tiles: WinogradTiles) {
    column &+= 1
    if column < tiles.columns { return }
    column = 0
    row &+= 1
    if row < tiles.rows { return }
    row = 0
    image &+= 1
  }
}
