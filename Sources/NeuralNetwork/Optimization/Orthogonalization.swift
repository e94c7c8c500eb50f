import VectorKernels

/// Makes the singular values of a store's gradients that are matrices nearly equal, and leaves their singular vectors.
///
/// Newton and Schulz's iteration of degree 5, as `torch.optim.Muon` has it (Float here, bfloat16 there): X (k, l) is the
/// gradient, transposed where that makes k <= l,
///
///     X = X / |X|        five times  A = X X^T,  X = (a + b A + c A^2) X        a 3.4445, b -4.7750, c 2.0315
///
/// Singular values end between about 0.7 and 1.2; a matrix of zeros stays one.
///
/// About 5 (3 k^2 l + k^3) multiplications a matrix, so that ranks divide the matrices: each one is made by one rank, and the
/// others are given it. A tile of a product is computed by one thread whatever their number, so that it has the same bits.
package final class Orthogonalization {
  private static let (a, b, c): (Float, Float, Float) = (3.4445, -4.7750, 2.0315)
  private static let rounds = 5
  private static let smallestNorm = 1e-7
  /// Rows of A that are one tile, and places along l.
  private static let (shortTile, longTile) = (64, 512)

  private let matrices: [Matrix]
  private let memory: AlignedMemory
  /// Tiles of A and of A^2, and of X.
  private let squareTiles: [Tile]
  private let longTiles: [Tile]

  private struct Matrix {
    let rows: Int
    let columns: Int
    let values: UnsafeMutablePointer<Float>
    /// (rows, columns): every second X.
    let other: UnsafeMutablePointer<Float>
    /// (k, k): A, and a + b A + c A^2.
    let gram: UnsafeMutablePointer<Float>
    let polynomial: UnsafeMutablePointer<Float>

    var isWide: Bool { rows <= columns }
    var k: Int { min(rows, columns) }
    var l: Int { max(rows, columns) }

    typealias Values = KeyPath<Matrix, UnsafeMutablePointer<Float>>

    func normalize() {
      let norm = sumOfSquares(values, count: rows * columns).squareRoot()
      let factor = Float(1 / max(norm, Orthogonalization.smallestNorm))
      for i in 0..<rows * columns { values[i] *= factor }
    }

    /// Rows of A, up to the diagonal: it is symmetric, and so is its polynomial.
    func makeGram(_ x: Values, _ tile: Tile) {
      let x = self[keyPath: x]
      let rows = gram + tile.start * k
      if isWide {
        gemm(.none, .transpose, tile.count, tile.end, l, x + tile.start * l, x, into: rows, leadingC: k)
      } else {
        gemm(
          .transpose, .none, tile.count, tile.end, l, x + tile.start, leadingA: k, x, leadingB: k, into: rows,
          leadingC: k)
      }
    }

    /// Rows of a + b A + c A^2, up to the diagonal.
    func makePolynomial(_ tile: Tile) {
      let (old, rows) = (gram + tile.start * k, polynomial + tile.start * k)
      gemm(.none, .none, tile.count, tile.end, k, old, gram, leadingB: k, alpha: c, into: rows, leadingC: k)
      for row in 0..<tile.count {
        for column in 0..<tile.end { rows[row * k + column] += b * old[row * k + column] }
        rows[row * k + tile.start + row] += a
      }
    }

    /// The rest of the tile's rows, beyond the diagonal.
    func mirror(_ square: Values, _ tile: Tile) {
      let square = self[keyPath: square]
      for row in tile.start..<tile.end {
        for column in tile.end..<k { square[row * k + column] = square[column * k + row] }
      }
    }

    /// Places along l of the next X.
    func multiply(_ x: Values, into y: Values, _ tile: Tile) {
      let (x, y) = (self[keyPath: x], self[keyPath: y])
      if isWide {
        gemm(.none, .none, k, tile.count, k, polynomial, x + tile.start, leadingB: l, into: y + tile.start, leadingC: l)
      } else {
        gemm(.none, .none, tile.count, k, k, x + tile.start * k, polynomial, into: y + tile.start * k)
      }
    }

    /// After an odd number of rounds the last X is the other one.
    func finish() { values.update(from: other, count: rows * columns) }
  }

  private struct Tile {
    let matrix: Int
    let start: Int
    let count: Int
    var end: Int { start + count }
  }

  /// Of the gradients of `parameters` that are matrices.
  package init(_ parameters: some Sequence<Parameter>) {
    let mine = parameters.filter(Muon.isMatrix)
    let sizes = mine.map { (rows: $0.shape[0], columns: $0.count / $0.shape[0]) }
    memory = AlignedMemory(count: sizes.reduce(0) { $0 + MatrixWork.scratch($1.rows, $1.columns) })
    var free = memory.elements.baseAddress!
    var matrices: [Matrix] = []
    for (parameter, (rows, columns)) in zip(mine, sizes) {
      let gram = free + rows * columns
      let side = min(rows, columns)
      matrices.append(
        Matrix(
          rows: rows, columns: columns, values: parameter.gradient.baseAddress!, other: free, gram: gram,
          polynomial: gram + side * side))
      free += MatrixWork.scratch(rows, columns)
    }
    self.matrices = matrices
    squareTiles = Self.tiles(matrices, Self.shortTile, of: \.k) { 2 * $0.k * $0.l }
    longTiles = Self.tiles(matrices, Self.longTile, of: \.l) { 2 * $0.k * $0.k }
  }

  package var bytes: Int { memory.bytes }

  /// The largest first, so that threads which take them in turn have about as much each.
  private static func tiles(
    _ matrices: [Matrix], _ size: Int, of side: KeyPath<Matrix, Int>, cost: (Matrix) -> Int
  ) -> [Tile] {
    var tiles: [(tile: Tile, cost: Int)] = []
    for (index, matrix) in matrices.enumerated() {
      let end = matrix[keyPath: side]
      for start in stride(from: 0, to: end, by: size) {
        let count = min(size, end - start)
        tiles.append((Tile(matrix: index, start: start, count: count), cost(matrix) * count))
      }
    }
    return tiles.sorted { $0.cost > $1.cost }.map(\.tile)
  }

  /// In place.
  package func run() {
    Self.inTurn(matrices.count) { matrices[$0].normalize() }
    for round in 0..<Self.rounds {
      let (from, to) = round % 2 == 0 ? (\Matrix.values, \Matrix.other) : (\.other, \.values)
      inTurn(squareTiles) { $0.makeGram(from, $1) }
      inTurn(squareTiles) { $0.mirror(\.gram, $1) }
      inTurn(squareTiles) { $0.makePolynomial($1) }
      inTurn(squareTiles) { $0.mirror(\.polynomial, $1) }
      inTurn(longTiles) { $0.multiply(from, into: to, $1) }
    }
    Self.inTurn(matrices.count) { matrices[$0].finish() }
  }

  private func inTurn(_ tiles: [Tile], _ body: (Matrix, Tile) -> Void) {
    Self.inTurn(tiles.count) { body(matrices[tiles[$0].matrix], tiles[$0]) }
  }

  /// Each thread takes every so-manieth piece.
  private static func inTurn(_ count: Int, _ body: (Int) -> Void) {
    Parallel.run { part, parts in for index in stride(from: part, to: count, by: parts) { body(index) } }
  }
}
