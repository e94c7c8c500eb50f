import Files
import NeuralNetwork

extension ModelDescription {
  /// Of which network the tensors of another program's file are, and in which sizes: the one whose tensors are all there, by
  /// their names and shapes.
  ///
  /// The names of a small IResNet are all in a large one, too: then the large one counts. Where the file holds several
  /// networks side by side, such as a student and its teacher, somebody has to say which.
  /// - Throws: `ModelFileError` where they are of none, or of several.
  init(ofTensorsIn file: SafetensorsFile, assuming assumed: AssumedModel) throws {
    let candidates = try NetworkKind.allCases.map { try TensorCandidate($0, file) }
    let whole = candidates.filter { $0.missing.isEmpty }
    let distinct = whole.filter { one in !whole.contains { one.found.isStrictSubset(of: $0.found) } }
    let chosen = distinct.count > 1 ? distinct.filter { $0.description.network == assumed.network } : distinct
    if let only = chosen.first {
      self = only.description
      return
    }
    guard distinct.isEmpty else {
      let names = distinct.map(\.description.network).joined(separator: " and ")
      throw ModelFileError(path: file.path, reason: "holds tensors of \(names): say which by --network")
    }
    let named = candidates.filter { $0.description.network == assumed.network }
    let nearest = (named.isEmpty ? candidates : named).max { $0.found.count < $1.found.count }!
    let network = nearest.description.network
    throw ModelFileError(
      path: file.path,
      reason: nearest.found.isEmpty
        ? "has no tensor of \(named.isEmpty ? "a network that is known here" : network); it holds \(WeightReport.list(file.names))"
        : "is of no whole network that is known here. The nearest is \(network): \(nearest.found.count) of its tensors are there, "
          + "and missing or of another shape are \(nearest.missing.count): \(WeightReport.list(nearest.missing))")
  }
}

/// A kind of network and what a file has of it, in the sizes that the tensors tell.
private struct TensorCandidate {
  let description: ModelDescription
  /// The file's names of tensors that fit.
  let found: Set<String>
  /// Names and shapes of those that do not, or are not there.
  let missing: [String]

  init(_ kind: NetworkKind, _ file: SafetensorsFile) throws {
    let names = try TensorNames(file, of: kind.parameters(embeddingWidth: 512, inputSide: 112))
    func shape(_ name: String) -> [Int]? { try? file.shape(of: names[name]) }
    description = ModelDescription(kind, sizes: kind.sizes(of: shape))
    let parameters = kind.parameters(
      embeddingWidth: description.embeddingWidth, inputSide: description.inputSide)
    found = Set(parameters.filter { shape($0.name) == $0.shape }.map { names[$0.name] })
    missing = parameters.filter { shape($0.name) != $0.shape }.map { "\($0.name) \($0.shape)" }
  }
}

extension ModelDescription {
  /// In sizes that were found; the usual ones where they were not, or where no network has such.
  init(_ kind: NetworkKind, sizes: (embeddingWidth: Int, inputSide: Int)?) {
    self.init(network: kind, embeddingWidth: sizes?.embeddingWidth ?? 512, inputSide: sizes?.inputSide ?? 112)
    if !hasPossibleSizes { (embeddingWidth, inputSide) = (512, 112) }
  }
}
