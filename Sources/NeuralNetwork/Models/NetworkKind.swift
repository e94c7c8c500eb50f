/// The networks that can be trained, by the names of the command line.
public enum NetworkKind: String, Codable, CaseIterable, Sendable {
  case mobilefacenet
  case mobilefacenetX2 = "mobilefacenet-x2"
  case iresnet18
  case iresnet34
  case iresnet50
  case iresnet100
  case spherenet20

  /// Parameters are named and shaped, but hold zeros until they are initialized or loaded.
  ///
  /// - Parameters:
  ///   - embeddingWidth: K, a multiple of 16.
  ///   - inputSide: S of the input 3 x S x S, a multiple of 16.
  ///   - dropout: probability before the last fully connected layer of an IResNet (arcface_torch's setting).
  ///   - frozen: names of parameters that are not trained.
  package func makeNetwork(
    embeddingWidth: Int = 512, inputSide: Int = 112, dropout: Double = 0, recomputes: Bool = false,
    frozen: Set<String> = []
  ) -> Network {
    Network(
      rawValue, makeGraph(embeddingWidth: embeddingWidth, inputSide: inputSide, dropout: dropout),
      recomputes: recomputes, frozen: frozen)
  }

  func makeGraph(embeddingWidth: Int, inputSide: Int, dropout: Double) -> Graph {
    precondition(inputSide > 0 && inputSide % 16 == 0, "An input side of \(inputSide) is no multiple of 16")
    precondition(
      embeddingWidth > 0 && embeddingWidth % 16 == 0, "An embedding of \(embeddingWidth) is no multiple of 16")
    precondition(dropout == 0 || takesDropout, "\(rawValue) has no dropout")
    var graph = Graph(input: .image(3, inputSide, inputSide, .plain))
    switch self {
    case .mobilefacenet: MobileFaceNet(embeddingWidth: embeddingWidth, width: 1, inputSide: inputSide).build(&graph)
    case .mobilefacenetX2: MobileFaceNet(embeddingWidth: embeddingWidth, width: 2, inputSide: inputSide).build(&graph)
    case .iresnet18, .iresnet34, .iresnet50, .iresnet100:
      IResNet(blocks: iresnetBlocks, embeddingWidth: embeddingWidth, inputSide: inputSide, dropout: dropout).build(
        &graph)
    case .spherenet20: SphereNet20(embeddingWidth: embeddingWidth, inputSide: inputSide).build(&graph)
    }
    return graph
  }

  package var takesDropout: Bool { !iresnetBlocks.isEmpty }

  /// Residual blocks of each of the four stages.
  private var iresnetBlocks: [Int] {
    switch self {
    case .iresnet18: [2, 2, 2, 2]
    case .iresnet34: [3, 4, 6, 3]
    case .iresnet50: [3, 4, 14, 3]
    case .iresnet100: [3, 13, 30, 3]
    case .mobilefacenet, .mobilefacenetX2, .spherenet20: []
    }
  }
}
