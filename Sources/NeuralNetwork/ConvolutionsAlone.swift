/// The limit of a network on this machine as oneDNN sets it: its convolutions' primitives, layer after layer over the
/// whole batch, and nothing between them. For measurements; what it computes means nothing.
///
/// Where training convolves by Winograd's filtering it may be faster than this limit.
package final class ConvolutionsAlone {
  private let pass: Pass
  private let operations: [ConvolutionOperation]

  /// To be filled with images before the first `run`.
  package var input: Tensor { pass.input }

  /// `pass` is not piecewise.
  init(_ pass: Pass) {
    self.pass = pass
    operations = pass.steps.compactMap { $0.operation as? ConvolutionOperation }
  }

  /// Forward, and in training backward to inputs and weights.
  package func run() {
    if !isWarm { warmUp() }
    for operation in operations { operation.forward(0..<pass.batch) }
    guard pass.trains else { return }
    for operation in operations.reversed() {
      operation.backward(0..<pass.batch)
      operation.computeWeightGradient()
    }
  }

  private var isWarm = false

  /// One real pass, so that memory holds numbers of a usual size, and every primitive has a weight to read.
  private func warmUp() {
    pass.forward()
    if pass.trains {
      pass.outputGradient.buffer.update(repeating: 1e-3)
      pass.backward { _ in }
    }
    isWarm = true
  }
}
