import ArgumentParser
import Files
import MPI
import Weights

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a trained network as a file for other programs.",
    discussion: """
      onnx: opset 13, any batch size; input 'data' (N, 3, S, S), float RGB normalized to (pixel - 127.5) / 127.5, output \
      'embedding' (N, K). The written file is read back, and what its operators compute is compared with the network. \
      safetensors: the state dict of arcface_torch's network of the same kind, which PyTorch loads strictly; pytorch: the \
      same as torch.save writes it.
      """)

  @OptionGroup var named: ModelOptions

  @Option(help: "Format: \(ModelExport.Format.allCases.map(\.rawValue).joined(separator: ", ")).")
  var format = ModelExport.Format.onnx

  @Option(help: "File to write.")
  var output: String

  @Flag(help: "onnx: take uint8 pixels, and normalize them inside the graph.")
  var embedPreprocessing = false

  @Flag(help: "onnx: give embeddings of length 1.")
  var normalize = false

  @Flag(inversion: .prefixedNo, help: "onnx: fold batch normalization into the layer before it, where that is exact.")
  var fold = true

  @OptionGroup var waiting: WaitingOptions

  func validate() throws {
    guard format == .onnx || !(embedPreprocessing || normalize || !fold) else {
      throw ValidationError("--embed-preprocessing, --normalize and --no-fold go with --format onnx.")
    }
  }

  func run() throws {
    World.run(collectiveTimeout: waiting.collectiveTimeout) { communicator in
      try Threads.use(nil, communicator.placement())
      if communicator.rank == 0 {
        var export = ModelExport(model: named.model, format: format, output: output)
        export.assumedModel = named.assumed
        export.onnx.embedsPreprocessing = embedPreprocessing
        export.onnx.normalizes = normalize
        export.onnx.folds = fold
        for line in try export.run() { Terminal.print(line: line) }
      }
      try communicator.barrier()
    }
  }
}

extension ModelExport.Format: ExpressibleByArgument {}
