package import Datasets
import Files
import Inference

/// What `dataset clean` found, in numbers.
package struct CleaningReport: Codable, Equatable, Sendable, CustomStringConvertible {
  package struct Count: Codable, Equatable, Sendable {
    package let kind: FindingKind
    package let findings: Int
    /// Lines of the table: images, or whole people.
    package let lines: Int
  }

  package let data: String
  package let images: Int
  package let people: Int
  package let validation: String?
  package let validationPeople: Int?
  /// The model, or the file of embeddings.
  package let network: String
  package let bounds: CleaningBounds
  /// Images below `bounds.ownCosine`.
  package let farImages: Int
  package let counts: [Count]
  package let badImages: [BadImage]

  init(
    options: CleaningOptions, _ source: any ImageSource, _ validation: (any ImageSource)?, images: Int,
    bounds: CleaningBounds, farImages: Int, _ findings: [Finding], badImages: [BadImage]
  ) {
    (data, self.images, people) = (options.data, images, source.classNames.count)
    (self.validation, validationPeople) = (options.validation, validation?.classNames.count)
    network = options.model ?? options.embeddings ?? ""
    self.bounds = bounds
    self.farImages = farImages
    counts = FindingKind.allCases.filter { $0 != .validation || validation != nil }.map { kind in
      let found = findings.filter { $0.kind == kind }
      return Count(kind: kind, findings: found.count, lines: found.reduce(0) { $0 + max($1.samples.count, 1) })
    }
    self.badImages = badImages
  }

  /// A network for which most people look alike finds faults where there are none.
  private static let mostFar = 0.25

  /// What makes the findings doubtful.
  package var warning: String? {
    let share = Double(farImages) / Double(max(images, 1))
    guard share > Self.mostFar else { return nil }
    return "Warning: \(Figures.percent(share)) of the images are no nearer to their person than strangers may be: the "
      + "network hardly tells these people apart, or the set is in disorder. The findings are doubtful."
  }

  package var description: String {
    let fixed = Figures.fixed
    var people = "score \(fixed(bounds.personScore))"
    if let score = bounds.validationScore { people += ", of the validation set \(fixed(score))" }
    var head = [
      ["set", "\(data.printableName): \(images.counted("image")) of \(self.people.grouped) people"],
      ["network", network.printableName],
      [
        "bounds",
        "one face in a folder: mean cosine \(fixed(bounds.partCosine)); far from its person: cosine below "
          + "\(fixed(bounds.ownCosine)), \(farImages.counted("image"))",
      ],
      ["", "another person's image: score \(fixed(bounds.labelScore)); one person twice: " + people],
      ["", "one picture: correlation \(fixed(bounds.pictureCorrelation))"],
    ]
    if let validation {
      head.insert(["validation", "\(validation.printableName): \((validationPeople ?? 0).grouped) people"], at: 1)
    }
    for image in badImages { head.append(["skipped", "\(image.identifier.printableName): \(image.reason)"]) }
    let rows = counts.map { [$0.kind.rawValue, $0.findings.grouped, $0.lines.grouped, $0.kind.heading] }
    return
      (TextTable.lines(head) + [""]
      + TextTable.lines([["kind", "findings", "lines", ""]] + rows, right: 1..<3)).joined(separator: "\n")
  }
}
