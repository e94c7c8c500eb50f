import ArgumentParser
import Evaluation

struct IdentificationFlags: ParsableArguments {
  @Option(help: "People to search for: a folder (DIR/PERSON/IMAGE), .rec or list.")
  var probes: String?

  @Option(
    help: "Gallery: the images to search, in the same forms; without it, the probes are searched among themselves.")
  var gallery: String?

  @Option(help: "Distractors: images of other people than the probes', in the same forms.")
  var distractors: String?

  @Flag(help: "Probes of people who are not in the gallery are searched for too, as strangers who should find nobody.")
  var openSet = false

  func validate() throws {
    guard !openSet || gallery != nil else {
      throw ValidationError("--open-set needs a gallery that lacks some of the people: --gallery.")
    }
    guard probes != nil || (gallery == nil && distractors == nil) else {
      throw ValidationError("--gallery and --distractors need the images to search for: --probes.")
    }
    guard probes == nil || gallery != nil || distractors != nil else {
      throw ValidationError("--probes needs --distractors, or a --gallery, to search among.")
    }
  }

  /// Only where there are probes.
  func options(model: String?) -> IdentificationOptions {
    var options = IdentificationOptions(model: model, probes: probes!)
    options.gallery = gallery
    options.distractors = distractors
    options.isOpenSet = openSet
    return options
  }
}
