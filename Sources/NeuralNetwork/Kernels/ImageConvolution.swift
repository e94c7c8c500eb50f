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
    return .image(outputs, side(input.height), side(input.width), type: input.type)
  }

  /// The direct sums' for one image: C / G k k for each value of the output.
  func multiplications(of input: Shape) -> Int { outputShape(input).count * (inputs / groups) * kernel * kernel }
}

/// A convolution from images to images: forward, or backward to the input's gradient.
protocol ImageConvolution: AnyObject {
  /// For tests and diagnosis.
  var implementation: String { get }
  /// Brings the weight, which may have changed, into the order that `execute` reads: before the first piece of a batch.
  func prepareWeight()
  /// Some images, on the calling thread within a parallel region; else shared among the threads.
  func execute(_ images: Range<Int>)
}

/// The gradient of a convolution's parameters, summed piece by piece or computed from the whole batch.
protocol ConvolutionGradient: AnyObject {
  var implementation: String { get }
  /// Takes a piece of the calling thread, where it sums in pieces.
  func add(_ images: Range<Int>)
  /// Computes it where nobody looks yet, where it needs the whole batch.
  func compute()
  /// Adds it to the parameters' gradients.
  func accumulate()
}

extension ConvolutionGradient {
  func add(_ images: Range<Int>) {}
  func compute() {}
}

/// The two ways through a convolution that have images at both ends.
enum ConvolutionDirection {
  /// From the layer's inputs to its outputs.
  case forward
  /// From the outputs' gradient to the inputs': the weight turned by half a circle, its channels exchanged.
  case backward
}
