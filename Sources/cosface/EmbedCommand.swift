import ArgumentParser
import Distributed
import Files
import Foundation
import Inference
import Training

struct EmbedCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "embed",
    abstract: "Write the embeddings of images to a file, alone or divided among ranks by mpirun.",
    discussion: """
      The file's ending says how: .npy (float32 rows, with the names beside in .names.txt), .safetensors (embeddings, \
      names, people, and as metadata the flip test and the weights) or .csv. Rows are in the order of the sorted paths, \
      those of a .rec or of a list with people in its own. What is done is kept in OUTPUT.parts until the file is \
      complete: after an interruption the same command goes on from there. A .safetensors is a gallery of \
      'cosface identify', where each image shows the person of its folder, of its list 'path person' or of its .rec.
      """)

  @OptionGroup var inference: InferenceOptionGroup

  @Option(help: "Folder of images, at any depth, a list with the path of an image a line (and its person), or a .rec.")
  var data: String

  @Option(help: "File to write: .npy, .safetensors or .csv.")
  var output: String

  @Flag(help: "Give embeddings of length 1.")
  var normalize = false

  @Option(Limits.badImages, help: "Fraction of the images that may be unreadable; each is named and has no row.")
  var maxBadImages = 0.001

  @Option(Limits.partSize, help: "Images after which what is done is kept on disk.")
  var partSize = 4096

  func run() throws {
    inference.run { communicator in
      var options = EmbeddingOptions(model: inference.named.model, data: data, output: output)
      options.assumedModel = inference.named.assumed
      options.flip = inference.flip
      options.normalize = normalize
      options.maximumBadImages = maxBadImages
      options.batchSize = inference.batchSize
      options.workers = inference.workers
      options.partSize = partSize
      let job = try EmbeddingJob(options, communicator)
      if communicator.rank == 0 { Notes.show(job.notes) }
      let summary = try job.run { done, all in
        Terminal.note("embedded \(done) of \(all) images")
      }
      guard let summary else { return }
      for image in summary.badImages { Terminal.print(line: "skipped   \(image.identifier): \(image.reason)") }
      Terminal.print(
        line: "written   \(summary.files.joined(separator: ", ")): \(summary.rows) rows"
          + (summary.badImages.isEmpty ? "" : "; \(summary.badImages.count.counted("image")) skipped"))
    }
  }
}
