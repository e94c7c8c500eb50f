package import Files
import Foundation
package import NeuralNetwork

extension ModelFile {
  /// Opens a model: what `WeightSource` finds at the path. Says on standard error what was stripped or chosen in a file of
  /// another program.
  ///
  /// - Parameter assumed: what a person says of it.
  package static func open(_ path: String, assuming assumed: AssumedModel = AssumedModel()) throws -> (
    file: SafetensorsFile, description: ModelDescription, network: Network
  ) {
    let file = try WeightSource.open(path)
    let description = try description(of: file, assuming: assumed)
    let network = try description.makeNetwork(path: file.path)
    let notes = try load(network, from: file)
    if !notes.isEmpty { Terminal.noteOnce("weights   \(file.path): \(notes.joined(separator: "; "))") }
    return (file, description, network)
  }
}
