/// What is known of a network before there is memory for its weights.
extension NetworkKind {
  /// Of one dimension; no shape of a file that is worth a look is larger.
  private static let maximumExtent = 1 << 24

  /// Parameters and running statistics, names and shapes alone.
  package func parameters(embeddingWidth: Int, inputSide: Int) -> [Parameter] {
    makeGraph(embeddingWidth: embeddingWidth, inputSide: inputSide, dropout: 0).nodes.flatMap {
      $0.layer.parameters + $0.layer.statistics
    }
  }

  /// Names of what can be trained, in the order of the layers; the sizes do not change them.
  package var trainedNames: [String] {
    makeGraph(embeddingWidth: 16, inputSide: 16, dropout: 0).nodes.flatMap(\.layer.parameters).filter(\.isTrained)
      .map(\.name)
  }

  /// Those of its batch normalizations.
  package var normalizationNames: [String] {
    makeGraph(embeddingWidth: 16, inputSide: 16, dropout: 0).nodes.map(\.layer).filter { !$0.statistics.isEmpty }
      .flatMap { layer in
        // A PReLU that is fused with it has a name of its own.
        layer.parameters.filter { $0.isTrained && $0.name.hasPrefix(layer.name + ".") }.map(\.name)
      }
  }

  /// Its operations; their weights have names and shapes, and no values.
  package func elementaryGraph(embeddingWidth: Int, inputSide: Int) -> ElementaryGraph {
    ElementaryGraph(
      makeGraph(embeddingWidth: embeddingWidth, inputSide: inputSide, dropout: 0), foldsFullyConnected: false)
  }

  /// The width of the embedding and the input side of a network of this kind whose parameters have these shapes; nil where
  /// they tell none. Whether the shapes are this kind's at all is not looked at.
  ///
  /// Found where the shapes change with the one or the other: a width along one dimension, a side with its square.
  package func sizes(of shape: (_ parameter: String) -> [Int]?) -> (embeddingWidth: Int, inputSide: Int)? {
    let unit = 16
    /// The product of the dimensions that change, here and there.
    func extents(_ other: [Parameter]) -> (here: Int, there: Int)? {
      for (small, large) in zip(parameters(embeddingWidth: unit, inputSide: unit), other)
      where small.shape != large.shape {
        guard let found = shape(small.name), found.count == small.shape.count,
          found.allSatisfy({ (1...Self.maximumExtent).contains($0) })
        else { return nil }
        let changing = found.indices.filter { small.shape[$0] != large.shape[$0] }
        return (changing.reduce(1) { $0 * small.shape[$1] }, changing.reduce(1) { $0 * found[$1] })
      }
      return nil
    }
    guard let width = extents(parameters(embeddingWidth: 2 * unit, inputSide: unit)),
      let area = extents(parameters(embeddingWidth: unit, inputSide: 2 * unit))
    else { return nil }
    let side = Int(Double(area.there / area.here).squareRoot())
    guard side * side * area.here == area.there else { return nil }
    return (width.there * unit / width.here, side * unit)
  }
}
