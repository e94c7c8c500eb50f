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
      the people. The photographs should be aligned as the training images were.
      """)

  @Option(help: "Folder of known people: DIR/PERSON/IMAGE.")
  var gallery: String

  @Argument(help: "Photographs.")
  var photographs: [String]

  @OptionGroup var inference: InferenceOptionGroup

  @Option(Limits.shownPeople, help: "People to show for each photograph.")
  var top = 5

  @OptionGroup var matching: MatchingOptions

  func run() throws {
    inference.run { communicator in
      let result = try GallerySearch(of: photographs, in: gallery, top: top, matching.options(inference), communicator)
      guard communicator.rank == 0 else { return }
      Notes.show(result.notes)
      try matching.json ? Terminal.print(json: result) : Terminal.print("\(result)")
    }
  }
}
