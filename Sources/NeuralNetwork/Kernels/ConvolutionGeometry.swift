/// What the kernels of a convolution are made of.
struct ConvolutionGeometry {
  let name: String
  let inputs: Int
  let outputs: Int
  /// Side in pixels.
  let kernel: Int
  let stride: Int
  let padding: Int
  let groups: Int
  /// (outputs, inputs / groups, kernel, kernel)
  let weight: Parameter
  /// (outputs)
  let bias: Parameter?

  func outputShape(_ input: Shape) -> Shape {
    precondition(input.channels == inputs, "\(name) over \(inputs) channels given \(input)")
    func side(_ given: Int) -> Int { (given + 2 * padding - kernel) / stride + 1 }
    return .image(outputs, side(input.height), side(input.width))
  }
}
