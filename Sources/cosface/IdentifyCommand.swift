import ArgumentParser
import FaceRecognition

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

  @Option(help: "People to show for each photograph.")
  var top = 5

  @Option(help: "Cosine below which a person is marked as doubtful.")
  var threshold: Double?

  @Flag(inversion: .prefixedNo, help: "Add the embedding of the mirrored image to each image's.")
  var flip = true

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    try Validation.atLeast(1, "--top", top)
    if let threshold { try Validation.cosine("--threshold", threshold) }
  }

  func run() throws {
    inference.run { communicator in
      var options = InferenceOptions(model: inference.model)
      options.flip = flip
      options.threshold = threshold
      options.batchSize = inference.batchSize
      options.workers = inference.workers
      let result = try GallerySearch(of: photographs, in: gallery, top: top, options, communicator)
      if communicator.rank == 0 { print(json ? try JSONText.of(result) : "\(result)") }
    }
  }
}
