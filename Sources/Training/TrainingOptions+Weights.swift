import NeuralNetwork
import Weights

extension TrainingOptions {
  /// With the network of the weights that the run starts from, and its sizes, where nobody gave others.
  ///
  /// With --allow-missing the network need not be the file's, and stays.
  /// - Parameter given: names of the options that somebody gave.
  /// - Throws: what is wrong with the weights.
  package func takingNetworkOfWeights(unless given: Set<String>) throws -> TrainingOptions {
    guard let weights, !allowMissing else { return self }
    let found: ModelDescription
    do { found = try ModelFile.description(of: WeightSource.open(weights)) } catch is ModelFileError
      where given.contains("network")
    {
      // Tensor by tensor the loader says what that network lacks.
      return self
    }
    var options = self
    if !given.contains("network"), let kind = NetworkKind(rawValue: found.network) { options.network = kind }
    if !given.contains("embedding") { options.embedding = found.embeddingWidth }
    if !given.contains("inputSize") { options.inputSize = found.inputSide }
    return options
  }
}
