package import Datasets

/// Where the embeddings of a set's images come from.
package enum EmbeddingSupply {
  /// A network computes them.
  case network(Embedder, flip: FlipTest)
  /// `cosface embed` wrote them.
  case stored(StoredEmbeddings)

  /// Values of what stands for an image.
  package var rowWidth: Int {
    switch self {
    case .network(let embedder, let flip): flip.width(embedder.network.embeddingWidth)
    case .stored(let stored): stored.rowWidth
    }
  }

  /// Of the embedding of one look.
  package var width: Int {
    switch self {
    case .network(let embedder, _): embedder.network.embeddingWidth
    case .stored(let stored): stored.width
    }
  }

  /// That a network's weights and its pass over a batch take on each rank.
  package var networkBytes: Int {
    guard case .network(let embedder, _) = self else { return 0 }
    return embedder.network.evaluationBytes(batch: embedder.batchSize)
  }

  package var flip: FlipTest {
    switch self {
    case .network(_, let flip): flip
    case .stored(let stored): stored.origin.flip
    }
  }

  /// The embeddings of `samples` (all of the source's unless given), each on one rank alone. Every rank calls it.
  ///
  /// - Throws: as `Embedder.divide` and `StoredEmbeddings.divide`.
  package func divide(
    _ source: any ImageSource, samples: [Int]? = nil, badImageLimit: Int, _ group: any EmbeddingGroup,
    note: (String) -> Void = { _ in }
  ) throws -> DividedTable {
    switch self {
    case .network(let embedder, let flip):
      try embedder.divide(source, samples: samples, flip: flip, badImageLimit: badImageLimit, group)
    case .stored(let stored): try stored.divide(source, samples: samples, group, note: note)
    }
  }
}
