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
