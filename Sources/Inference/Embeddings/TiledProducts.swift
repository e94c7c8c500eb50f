import Files
import NeuralNetwork
import VectorKernels

/// The Float products of every row of one table of embeddings with every row of another, tile by tile on all threads.
///
/// P = probes, N = rows, K = width.  u (P, K), v (N, K) the unit vectors of both
///
///     product(p, n) = <u_p, v_n> in Float, at most `margin` from the exact cosine
///
/// Nothing of size P N is kept. A product's last digits depend on the tile that it is part of: products only rule pairs
/// out, and the tables' own cosine decides on the others.
package struct TiledProducts {
  /// P x R products, of consecutive probes and consecutive rows.
  package struct Tile {
    package let probes: Range<Int>
    package let rows: Range<Int>
    /// (P, R)
    let products: UnsafePointer<Float>

    /// Calls `body(row, product)` for the rows whose product with `probe` is at least `least`, in their order.
    package func forEachRow(of probe: Int, from least: Float, _ body: (_ row: Int, _ product: Float) -> Void) {
      let values = products + (probe - probes.lowerBound) * rows.count
      let lanes = 16
      var start = 0
      // Most tiles hold nothing: many values are looked at in one comparison.
      while start < rows.count {
        let end = min(start + lanes, rows.count)
        if end - start == lanes {
          let some = UnsafeRawPointer(values + start).loadUnaligned(as: SIMD16<Float>.self)
          guard any(some .>= least) else {
            start = end
            continue
          }
        }
        for place in start..<end where values[place] >= least { body(rows.lowerBound + place, values[place]) }
        start = end
      }
    }
  }

  /// Probes whose unit vectors are held at a time, all threads together.
  package static let heldProbes = 1024
  /// Probes and rows of a matrix product.
  private static let (probeBlock, rowBlock) = (256, 512)

  package let probes: EmbeddingTable
  package let table: EmbeddingTable
  /// Twice the bound of the error of a Float inner product of unit vectors, with the vectors' own rounding.
  package let margin: Double

  package init(_ probes: EmbeddingTable, _ table: EmbeddingTable) {
    precondition(probes.width == table.width, "Embeddings of widths \(probes.width) and \(table.width)")
    self.probes = probes
    self.table = table
    margin = Double(probes.width + 8) * Double(Float.ulpOfOne)
  }

  /// The least product of a pair whose cosine may be `cosine` or more.
  package func least(for cosine: Double) -> Float { Float(cosine - margin) }

  /// Parts that `forEach` divides the rows into.
  package var parts: Int { Parallel.isInside ? 1 : Parallel.threads }

  /// Calls `body` for each tile of the probes of `range`, from as many threads as there are parts: those of one part
  /// come one after the other, a probe's rows ascending.
  package func forEach(_ range: Range<Int>, _ body: (_ part: Int, _ tile: Tile) -> Void) {
    let width = probes.width
    let left = AlignedMemory(count: min(range.count, Self.heldProbes) * width)
    defer { withExtendedLifetime(left) {} }
    for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.heldProbes) {
      let held = start..<min(start + Self.heldProbes, range.upperBound)
      let vectors = left.elements.baseAddress!
      Parallel.ranges(held.count) { own in
        probes.copyUnitVectors(start + own.lowerBound..<start + own.upperBound, to: vectors + own.lowerBound * width)
      }
      Parallel.run { part, parts in
        walk(held, vectors, rows: Share.range(of: table.count, part, parts)) { body(part, $0) }
      }
    }
  }

  /// The tiles of some probes, whose unit vectors are `left` (P, K), and some rows.
  private func walk(
    _ held: Range<Int>, _ left: UnsafePointer<Float>, rows: Range<Int>, _ body: (Tile) -> Void
  ) {
    let width = probes.width
    let size = (probes: min(held.count, Self.probeBlock), rows: min(rows.count, Self.rowBlock))
    let memory = [size.rows * width, size.probes * size.rows].map(AlignedMemory.init)
    // Its last use would otherwise be the next line.
    defer { withExtendedLifetime(memory) {} }
    let (right, products) = (memory[0].elements.baseAddress!, memory[1].elements.baseAddress!)
    for start in stride(from: rows.lowerBound, to: rows.upperBound, by: Self.rowBlock) {
      let some = start..<min(start + Self.rowBlock, rows.upperBound)
      table.copyUnitVectors(some, to: right)
      for first in stride(from: held.lowerBound, to: held.upperBound, by: Self.probeBlock) {
        let block = first..<min(first + Self.probeBlock, held.upperBound)
        gemm(
          .none, .transpose, block.count, some.count, width, left + (first - held.lowerBound) * width, right,
          into: products)
        body(Tile(probes: block, rows: some, products: products))
      }
      Heartbeat.beat()
    }
  }
}
