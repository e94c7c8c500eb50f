import Files
import MPI
import NeuralNetwork

extension ProgramVersion {
  /// With the libraries that it runs on, and what they make of this processor: for `--version` and reports of problems.
  package static var details: String {
    [name, World.library, Libraries.openBLAS, Libraries.oneDNN].joined(separator: "\n")
  }
}
