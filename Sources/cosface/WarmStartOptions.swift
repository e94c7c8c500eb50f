import ArgumentParser
import Training

struct WarmStartOptions: ParsableArguments {
  @Option(
    of: \.$weights,
    help: """
      Start from these weights: a run, a checkpoint, or a file of a backbone alone or with a class weight: .safetensors, \
      PyTorch's .pt or .pth, .onnx. The network and its sizes are the file's unless given. Rows of the class weight go to the \
      same people by name.
      """)
  var weights: String?

  @Flag(
    of: \.$allowMissing,
    help: "With --weights: parameters that the file lacks, or has in another shape, start as without it.")
  var allowMissing: Bool

  @Option(
    of: \.$newRows,
    help:
      "With --weights: how the class weight's rows of new people start: mean (of their images' embeddings) or random.")
  var newRows: NewRows
}
