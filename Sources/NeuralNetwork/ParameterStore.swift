import VectorKernels

/// The memory of a list of parameters: their values, gradients and momenta, each kind in one contiguous piece.
///
/// Trained parameters lie in the order given (the order in which backward finishes them, so that a bucket of the
/// allreduce is a plain range), padded to whole cache lines; fixed ones follow and have neither gradient nor momentum.
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
  private let momentumMemory: AlignedMemory

  package var values: UnsafeMutableBufferPointer<Float> { valueMemory.elements }
  package var gradients: UnsafeMutableBufferPointer<Float> { gradientMemory.elements }
  package var momenta: UnsafeMutableBufferPointer<Float> { momentumMemory.elements }
  package var bytes: Int { valueMemory.bytes + gradientMemory.bytes + momentumMemory.bytes }

  /// `gradients` false: values and momenta only, for a class weight that is updated block by block.
  package init(_ given: [Parameter], gradients hasGradients: Bool = true, momenta hasMomenta: Bool = true) {
    let layout = Self.layout(given)
    (parameters, offsets, trainedCount) = (layout.parameters, layout.offsets, layout.trainedCount)
    let (end, trainedEnd) = (layout.count, layout.trainedCount)
    valueMemory = AlignedMemory(count: end)
    gradientMemory = AlignedMemory(count: hasGradients ? trainedEnd : 0)
    momentumMemory = AlignedMemory(count: hasMomenta ? trainedEnd : 0)
    for (parameter, offset) in zip(parameters, offsets) {
      let range = offset..<(offset + parameter.count)
      parameter.value = .init(rebasing: values[range])
      guard parameter.isTrained else { continue }
      if hasGradients { parameter.gradient = .init(rebasing: gradients[range]) }
      if hasMomenta { parameter.momentum = .init(rebasing: momenta[range]) }
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

  /// Bytes of a store of such parameters, without making it.
  static func bytes(_ given: [Parameter], gradients: Bool = true, momenta: Bool = true) -> Int {
    let layout = layout(given)
    return MemoryLayout<Float>.stride
      * (layout.count + layout.trainedCount * ((gradients ? 1 : 0) + (momenta ? 1 : 0)))
  }

  /// Gradients accumulate; this starts the next step's sum.
  package func zeroGradients() { gradients.update(repeating: 0) }
}
