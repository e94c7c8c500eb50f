import ArgumentParser
import Files
import Inference
import Training

struct GalleryAddCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add",
    abstract: "Embed images and add their rows to a gallery.",
    discussion: """
      An image whose name has a row in the gallery is not embedded again, and the row stays as it is: to replace a person's \
      rows, remove the person first. Rows are sorted by their names: the file is then what 'cosface embed' would write for \
      a folder of all images.
      """)

  @OptionGroup var inference: InferenceOptionGroup

  @Option(help: "The gallery: a .safetensors that 'cosface embed' wrote with this model and --flip.")
  var gallery: String

  @Option(help: "Images of people: a folder (DIR/PERSON/IMAGE), a list 'path person', or a .rec.")
  var data: String

  @Option(Limits.badImages, help: "Fraction of the new images that may be unreadable; each is named and has no row.")
  var maxBadImages = 0.001

  func run() throws {
    inference.run { communicator in
      if communicator.rank == 0 { try OutputFiles.tryOut([gallery], inputs: [data, inference.named.model]) }
      var options = GalleryAddition.Options(model: inference.named.model, gallery: gallery, data: data)
      options.assumedModel = inference.named.assumed
      options.flip = inference.flip
      options.maximumBadImages = maxBadImages
      options.batchSize = inference.batchSize
      options.workers = inference.workers
      let result = try GalleryAddition(options, communicator)
      guard communicator.rank == 0 else { return }
      Notes.show(result.notes)
      for image in result.badImages { Terminal.print(line: "skipped   \(image.identifier): \(image.reason)") }
      if result.known > 0 {
        Terminal.print(line: "kept      \(result.known.counted("image")) that the gallery has rows of, unchanged")
      }
      Terminal.print(
        line: "added     \(result.added.counted("image")); \(gallery) has \(result.rows.counted("row")) of "
          + "\(result.people.grouped) people")
    }
  }
}
