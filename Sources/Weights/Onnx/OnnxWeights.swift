package import Files
import NeuralNetwork

/// The weights of an ONNX file whose graph is one of the networks here, whatever exported it: PyTorch, MXNet, this program.
package enum OnnxWeights {
  /// Whether a file of this name is read as one.
  package static func isOne(_ path: String) -> Bool { FilePath.ending(of: path) == "onnx" }

  /// The file's tensors under the network's names, with their description, as a weight file of ours would have them.
  ///
  /// - Throws: `DataError` where it cannot be opened; `ModelFileError` naming the first node that is no network's here.
  package static func read(_ path: String) throws -> SafetensorsFile {
    let graph = try OnnxGraph(OnnxFile(path: path))
    func failure(_ reason: String) -> ModelFileError { ModelFileError(path: path, reason: reason) }
    guard graph.nodes.contains(where: { $0.weight != nil }) else {
      throw failure("has no convolution and no fully connected layer with weights: it is no network for images")
    }
    let candidates = NetworkKind.allCases.map { Candidate($0, graph) }
    guard let fitting = candidates.first(where: { $0.match.difference == nil }) else {
      let nearest = candidates.reduce(candidates[0]) { $1.match.steps > $0.match.steps ? $1 : $0 }
      let known = NetworkKind.allCases.map(\.rawValue).joined(separator: ", ")
      throw failure(
        "is none of the networks that are known here (\(known)). Nearest is \(nearest.description.network), from which it "
          + "differs first at \(nearest.match.difference!)")
    }
    let (match, description) = (fitting.match, fitting.description)
    if let side = graph.inputSide, side != description.inputSide {
      throw failure("takes images of side \(side), and its layers are those for \(description.inputSide)")
    }
    var weights = match.weights
    if let scale = match.images.scale(ofPixels: graph.takesPixels) {
      weights[match.firstWeight]!.scaleChannels(by: scale, area: match.firstArea)
    } else {
      throw failure(
        "gives its first layer other images than (pixel - 127.5) / 127.5, and at padded borders no weight makes that up: "
          + "\(match.images.title ?? "its input is of whole numbers"). Export the network without its pre-processing")
    }
    let parameters = fitting.parameters
    return SafetensorsFile(
      path: path, tensors: parameters.map { ($0.name, $0.shape, weights[$0.name]!) },
      metadata: [ModelFile.descriptionKey: try ModelFile.text(of: description)], notes: notes(match))
  }

  private static func notes(_ match: OnnxMatch) -> [String] {
    var notes = ["an ONNX graph"]
    if match.foldedCount > 0 {
      notes.append("\(match.foldedCount) batch normalizations were folded into other layers: here they are identities")
    }
    if let title = match.images.title {
      notes.append("what it does to pixels, up to \(title), is taken into \(match.firstWeight)")
    }
    if match.normalizesLength { notes.append("its last step, to embeddings of length 1, is left out") }
    return notes
  }
}

/// A kind of network and how far a graph is one of it, in the sizes that its layers tell.
private struct Candidate {
  let description: ModelDescription
  let match: OnnxMatch
  let parameters: [Parameter]

  init(_ kind: NetworkKind, _ graph: OnnxGraph) {
    let usual = kind.elementaryGraph(embeddingWidth: 512, inputSide: 112)
    // The last layers, which know the sizes, follow one another in every network: they are counted from the end.
    let layers = graph.nodes.compactMap(\.weight)
    let places = Dictionary(uniqueKeysWithValues: usual.weightNames.reversed().enumerated().map { ($1, $0) })
    let sizes = kind.sizes { name in
      guard let place = places[name], place < layers.count else { return nil }
      return layers[layers.count - 1 - place].shape
    }
    description = ModelDescription(kind, sizes: sizes)
    let (width, side) = (description.embeddingWidth, description.inputSide)
    match = OnnxMatch(graph, kind.elementaryGraph(embeddingWidth: width, inputSide: side))
    parameters = kind.parameters(embeddingWidth: width, inputSide: side)
  }
}

extension ElementaryGraph {
  /// Of convolutions and fully connected layers, in their order.
  fileprivate var weightNames: [String] {
    nodes.compactMap { node in
      switch node.operation {
      case .convolution(let weight, _, _, _, _), .fullyConnected(let weight, _): weight.name
      default: nil
      }
    }
  }
}

extension [Float] {
  /// Of a weight (O, 3, k, k), each of the three input channels by its own factor.
  fileprivate mutating func scaleChannels(by factors: [Double], area: Int) {
    guard factors != [1, 1, 1] else { return }
    for i in indices { self[i] = Float(Double(self[i]) * factors[i / area % 3]) }
  }
}
