import ArgumentParser
import Files
import Inference
import Training

struct IdentifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "identify",
    abstract: "Rank the people of a gallery by their likeness to photographs.",
    discussion: """
      A person's template is the mean direction of the embeddings of their images in the gallery; the cosine with it ranks \
      the people. Where the best is below the threshold, the answer is nobody. The photographs should be aligned as the \
      training images were.
      """)

  @Option(
    help: """
      Known people: a folder (DIR/PERSON/IMAGE), .rec or list, or a .safetensors that 'cosface embed' made of them with \
      the same model and --flip.
      """)
  var gallery: String

  @Argument(help: "Photographs.")
  var photographs: [String] = []

  @Option(
    help: """
      Photographs by the thousand: a folder of them at any depth, a list, a .rec, or a .safetensors of 'cosface embed'.
      """)
  var probes: String?

  @OptionGroup var inference: InferenceOptionGroup

  @Option(Limits.shownPeople, help: "People to show for each photograph.")
  var top = 5

  @Option(help: "File to write to, as CSV: photograph, rank, person, cosine, and whether it reaches the threshold.")
  var output: String?

  @Option(
    Limits.badImages,
    help: "Fraction of the photographs, and of the gallery's images, that may be unreadable; each is named.")
  var maxBadImages = 0.001

  @OptionGroup var matching: MatchingOptions

  func validate() throws {
    guard photographs.isEmpty == (probes != nil) else {
      throw ValidationError("Give photographs, or a set of them: --probes; not both.")
    }
  }

  func run() throws {
    inference.run { communicator in
      if communicator.rank == 0 {
        try OutputFiles.tryOut([output], inputs: [gallery, inference.named.model, probes] + photographs)
      }
      let searched = probes.map(GallerySearch.Probes.set) ?? .photographs(photographs)
      let result = try GallerySearch.run(
        searched, in: gallery, top: top, maximumBadImages: maxBadImages, matching.options(inference), communicator)
      guard let result else { return }
      Notes.show(result.notes)
      if let output { try result.writeCandidates(to: output) }
      if matching.json { return try Terminal.print(json: result) }
      for image in result.badImages { Terminal.print(line: "skipped    \(image.identifier): \(image.reason)") }
      Terminal.print(output == nil ? "\(result)" : result.summary)
    }
  }
}
