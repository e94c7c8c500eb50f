import Files
import Foundation
package import NeuralNetwork

/// What a run trains of its network, and how fast: options of patterns, resolved to names of parameters.
///
/// A pattern is a name, or several as a shell would write them: "layers.0.*", "*.bias". `backbone` stands for all, and
/// `norms` for the batch normalizations.
package struct Adaptation: Equatable, Sendable {
  /// Names of parameters that stay as they are.
  package private(set) var frozen: Set<String> = []
  /// What the learning rate of trained parameters is multiplied with, where that is not 1.
  package private(set) var rateFactors: [String: Double] = [:]

  /// The word for the whole network.
  package static let backbone = "backbone"
  /// The word for its batch normalizations.
  package static let norms = "norms"

  /// Freezes what the patterns name of a network.
  ///
  /// - Throws: `AdaptationError` for a pattern that names nothing.
  package init(_ network: NetworkKind, freeze patterns: [String]) throws {
    let names = network.trainedNames
    for pattern in patterns { try frozen.formUnion(Self.names(of: pattern, "--freeze", among: names, network)) }
  }

  /// What the options of a run come to.
  ///
  /// - Throws: `AdaptationError` for patterns that name nothing, or options that the frozen parameters leave without use.
  package init(_ options: TrainingOptions) throws {
    try self.init(options.network, freeze: options.freeze)
    let names = options.network.trainedNames
    let trained = names.filter { !frozen.contains($0) }
    if trained.isEmpty, let conflict = options.conflictOfFrozenBackbone {
      throw AdaptationError(conflict)
    }
    if options.backboneRateFactor != 1 {
      for name in trained { rateFactors[name] = options.backboneRateFactor }
    }
    for rate in options.rateFactor {
      let matching = try Self.names(of: rate.pattern, "--rate-factor", among: names, options.network)
        .filter { !frozen.contains($0) }
      guard !matching.isEmpty else {
        throw AdaptationError(
          "--rate-factor \(rate.description.printableName): all that it names is frozen. Leave it out.")
      }
      for name in matching { rateFactors[name] = rate.factor }
    }
  }

  private static func names(
    of pattern: String, _ option: String, among names: [String], _ network: NetworkKind
  ) throws -> [String] {
    if pattern == backbone { return names }
    let found = pattern == norms ? network.normalizationNames : names.filter { fnmatch(pattern, $0, 0) == 0 }
    guard found.isEmpty else { return found }
    guard pattern != norms else {
      throw AdaptationError("\(option) norms: \(network.rawValue) has no batch normalization. Leave it out.")
    }
    let nearest = nearest(to: pattern, among: names).joined(separator: ", ")
    throw AdaptationError(
      "\(option) \(pattern.printableName) names no parameter of \(network.rawValue). Nearest are \(nearest); "
        + "patterns are as a shell's, such as '\(names[0].prefix { $0 != "." }).*', \(norms) are the batch "
        + "normalizations, and \(backbone) is the whole network."
    )
  }

  /// Names of which as many parts as the pattern spells out are most like them: at the start, or behind a star at the end.
  private static func nearest(to pattern: String, among names: [String]) -> [String] {
    let spelled = pattern.split(separator: ".").filter { part in !part.contains { "*?[".contains($0) } }
    let named = Dictionary(grouping: names) { name in
      let parts = name.split(separator: ".")
      let like = pattern.hasPrefix("*") ? parts.suffix(spelled.count) : parts.prefix(spelled.count)
      return like.joined(separator: ".")
    }
    return NearestName.several(3, like: spelled.joined(separator: "."), in: named.keys).compactMap { named[$0]?.first }
  }
}

/// Options about parts of a network that make no sense.
package struct AdaptationError: Error, Equatable, CustomStringConvertible {
  package let description: String
  init(_ description: String) { self.description = description }
}

extension TrainingOptions {
  /// Whether the whole network is frozen by that word.
  var freezesBackbone: Bool { freeze.contains(Adaptation.backbone) }

  /// What goes not with a network that is frozen as a whole.
  var conflictOfFrozenBackbone: String? {
    let rules: [(Bool, String)] = [
      (headEpochs != nil, "--head-epochs and --freeze of the whole network exclude each other: it is never trained."),
      (
        backboneRateFactor != 1,
        "--backbone-rate-factor and --freeze of the whole network exclude each other: nothing of it has a rate."
      ),
    ]
    return rules.first(where: \.0)?.1
  }
}
