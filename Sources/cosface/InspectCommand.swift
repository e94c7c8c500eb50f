import ArgumentParser
import Files
import Weights

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Tell what a run, a checkpoint or a weight file holds, and whether it is whole.",
    discussion: """
      Reads every byte and compares the digests that a checkpoint was written with; changes nothing. \
      Exit code 0: whole; 1: damaged, or not to be read.
      """)

  @Argument(
    help: "A run's folder, one of its checkpoints/step-…, or a file of weights: .safetensors, .pt, .pth, .onnx.")
  var path: String

  @Flag(help: "Print one JSON object.")
  var json = false

  @Flag(help: "List every tensor with its digest.")
  var tensors = false

  func validate() throws {
    try Requirement.oneProcess("inspect", workers: false)
    if json && tensors { throw ValidationError("--json lists the tensors already: leave out --tensors.") }
  }

  func run() throws {
    let inspection = try Inspection(path: path)
    if json {
      try Terminal.print(json: inspection)
    } else {
      Terminal.print(inspection.text(listsTensors: tensors))
    }
    if !inspection.isWhole { throw ExitCode.failure }
  }
}
