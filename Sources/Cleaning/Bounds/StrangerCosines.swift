import Inference
import VectorKernels

/// Cosines of images of different people, drawn at random: the same for the same set.
enum StrangerCosines {
  /// Enough for the quantile that a thousandth exceeds.
  private static let draws = 200_000

  /// Ascending; of pairs of images. Empty where all images are of one person.
  static func ofImages(_ set: EmbeddedSet) -> [Double] {
    draw(set.table.count, set.table.count, 1) { a, b in
      set.labels[a] == set.labels[b] ? nil : set.table.cosine(a, b)
    }
  }

  /// Ascending; of an image and the template of somebody else.
  static func ofImagesAndTemplates(_ set: EmbeddedSet, _ templates: PersonTemplates) -> [Double] {
    draw(set.table.count, templates.table.count, 2) { row, template in
      set.labels[row] == templates.people[template]
        ? nil : set.table.cosine(row, of: templates.table, template)
    }
  }

  private static func draw(
    _ first: Int, _ second: Int, _ number: Int, _ cosine: (Int, Int) -> Double?
  ) -> [Double] {
    var generator = CounterGenerator(seed: 1, purpose: .selection, number)
    var cosines: [Double] = []
    for _ in 0..<draws {
      let pair = (generator.below(first), generator.below(second))
      if let value = cosine(pair.0, pair.1) { cosines.append(value) }
    }
    return cosines.sorted()
  }
}
