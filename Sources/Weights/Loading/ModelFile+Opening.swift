package import Files
import Foundation
package import NeuralNetwork

extension ModelFile {
  /// Opens a model: what `WeightSource` finds at the path. Says on standard error what was stripped or chosen in a file of
  /// another program.
  ///
  /// - Parameter assumed: which network the weights are of where the file does not say: a state dict of PyTorch.
  package static func open(_ path: String, assuming assumed: AssumedModel? = nil) throws -> (
    file: SafetensorsFile, description: ModelDescription, network: Network
  ) {
    let file = try WeightSource.open(path)
    let description: ModelDescription
    if let assumed = assumed?.description, file.metadata[descriptionKey] == nil {
      description = assumed
    } else {
      description = try self.description(of: file)
      try assumed?.check(description, of: file.path)
    }
    let network = try description.makeNetwork(path: file.path)
    let notes = try load(network, from: file)
    if !notes.isEmpty { Terminal.noteOnce("weights   \(file.path): \(notes.joined(separator: "; "))") }
    return (file, description, network)
  }
}
