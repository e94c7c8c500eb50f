import Files
package import NeuralNetwork

extension Network {
  /// Of all weights and running statistics: equal for networks that compute the same.
  package var weightsDigest: String {
    [parameters, statistics].map { "\(Digest(of: UnsafeRawBufferPointer($0.values)))" }.joined()
  }
}
