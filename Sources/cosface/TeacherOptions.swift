import ArgumentParser
import Training

struct TeacherOptions: ParsableArguments {
  @Option(
    of: \.$teacher,
    help: """
      Learn to give this model's embeddings: a run, a checkpoint, .safetensors, PyTorch's .pt or .pth, .onnx. Each rank \
      runs it on the pictures of its batches, in the model's own size. Where its embedding has another width, a linear \
      map is trained beside the network and left out of the model.
      """)
  var teacher: String?

  @Option(
    of: \.$teacherEmbeddings,
    help: """
      The teacher's embeddings from a file instead, or one of each set, by the images' names: what 'cosface embed --flip \
      concatenate --output FILE.safetensors' wrote. Costs no time while training, but knows no augmentation but the mirror.
      """)
  var teacherEmbeddings: [String]

  @Option(
    of: \.$teacherWeight,
    help: """
      What 1 - cosine to the teacher's embedding counts in the loss: unless given as much as the logits' scale (32 where \
      that is learned), and 1 without labels
      """)
  var teacherWeight: Double?

  @Flag(
    of: \.$labels,
    help: "Learn from the teacher alone: --data are images at any depth, whoever is on them.")
  var labels: Bool

  func validate() throws { try refuseConflicts() }
}
