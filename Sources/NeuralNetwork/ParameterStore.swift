import VectorKernels

/// The memory of a list of parameters: their values, gradients and optimizer's states, each kind in one contiguous piece.
///
/// Trained parameters lie in the order given (the order in which backward finishes them, so that a bucket of the
/// allreduce is a plain range), padded to whole cache lines; fixed ones follow and have values only.
package final class ParameterStore {
  /// Each parameter is padded to a multiple of this many Floats: a cache line.
  package static let alignment = 16

  package let parameters: [Parameter]
  /// Offset of each parameter, in Floats, in the order of `parameters`.
  package let offsets: [Int]
  /// Floats of all trained parameters, padding included.
  package let trainedCount: Int

  private let valueMemory: AlignedMemory
  private let gradientMemory: AlignedMemory
  private var stateMemory: [AlignedMemory] = []

  package var values: UnsafeMutableBufferPointer<Float> { valueMemory.elements }
  package var gradients: UnsafeMutableBufferPointer<Float> { gradientMemory.elements }
  /// What the optimizer keeps of all trained parameters; none before `makeStates`.
  package private(set) var states: [OptimizerState] = []
  package var bytes: Int { valueMemory.bytes + gradientMemory.bytes + stateMemory.reduce(0) { $0 + $1.bytes } }

  /// `gradients` false: no gradients, as for a class weight that is updated block by block.
  package init(_ given: [Parameter], gradients hasGradients: Bool = true) {
    let layout = Self.layout(given)
    (parameters, offsets, trainedCount) = (layout.parameters, layout.offsets, layout.trainedCount)
    let (end, trainedEnd) = (layout.count, layout.trainedCount)
    valueMemory = AlignedMemory(count: end)
    gradientMemory = AlignedMemory(count: hasGradients ? trainedEnd : 0)
    for (parameter, offset) in zip(parameters, offsets) {
      let range = offset..<(offset + parameter.count)
      parameter.value = .init(rebasing: values[range])
      if hasGradients && parameter.isTrained { parameter.gradient = .init(rebasing: gradients[range]) }
    }
  }

  /// Makes the states of an optimizer, all zeros, for `Optimizer.stateNames`.
  package func makeStates(_ names: [String]) {
    stateMemory = names.map { _ in AlignedMemory(count: trainedCount) }
    states = zip(names, stateMemory).map { OptimizerState(name: $0, values: $1.elements) }
    for (parameter, offset) in zip(parameters, offsets) where parameter.isTrained {
      let range = offset..<(offset + parameter.count)
      parameter.states = states.map { OptimizerState(name: $0.name, values: .init(rebasing: $0.values[range])) }
    }
  }

  /// Where parameters lie: the trained ones first, then the fixed ones, each on whole cache lines.
  static func layout(
    _ given: [Parameter]
  ) -> (parameters: [Parameter], offsets: [Int], count: Int, trainedCount: Int) {
    let parameters = given.filter(\.isTrained) + given.filter { !$0.isTrained }
    var offsets: [Int] = []
    var end = 0
    var trainedEnd = 0
    for parameter in parameters {
      offsets.append(end)
      end += (parameter.count + alignment - 1) / alignment * alignment
      if parameter.isTrained { trainedEnd = end }
    }
    return (parameters, offsets, end, trainedEnd)
  }

  /// Bytes of a store of such parameters with so many states, without making it.
  static func bytes(_ given: [Parameter], gradients: Bool = true, states: Int) -> Int {
    let layout = layout(given)
    return MemoryLayout<Float>.stride * (layout.count + layout.trainedCount * ((gradients ? 1 : 0) + states))
  }

  /// Gradients accumulate; this starts the next step's sum.
  package func zeroGradients() { gradients.update(repeating: 0) }
}
