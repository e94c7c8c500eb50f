import ArgumentParser
import FaceRecognition

struct IdentificationFlags: ParsableArguments {
  @Option(help: "Folder of the people to search for: DIR/PERSON/IMAGE.")
  var probes: String?

  @Option(
    help: "Folder of the images among which they are found; without it, probes are searched for among themselves.")
  var gallery: String?

  @Option(help: "Folder of other people, to be taken for none of them.")
  var distractors: String?

  func validate() throws {
    guard probes != nil || (gallery == nil && distractors == nil) else {
      throw ValidationError("--gallery and --distractors need the images to search for: --probes.")
    }
    guard probes == nil || gallery != nil || distractors != nil else {
      throw ValidationError("--probes needs --distractors, or a --gallery, to search among.")
    }
  }

  /// Only where there are probes.
  func options(model: String) -> IdentificationOptions {
    var options = IdentificationOptions(model: model, probes: probes!)
    options.gallery = gallery
    options.distractors = distractors
    return options
  }
}
