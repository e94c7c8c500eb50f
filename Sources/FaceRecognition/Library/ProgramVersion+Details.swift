import Files
import MPI
import NeuralNetwork
import Training

extension ProgramVersion {
  /// With the libraries that it has loaded, and what they make of this processor: for `--version` and reports of problems.
  package static var details: String {
    let more = [
      World.library.name: "MPI \(World.standard)", Libraries.oneDNN.name: Libraries.oneDNNDetails,
      Libraries.openBLAS.name: Libraries.openBLASDetails,
    ]
    let libraries = LibraryVersion.all.map { "\($0)" + (more[$0.name].map { "; \($0)" } ?? "") }
    return ([name] + libraries + [system]).joined(separator: "\n")
  }
}
