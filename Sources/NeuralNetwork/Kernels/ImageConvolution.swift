/// A convolution from images to images: forward, or backward to the input's gradient.
protocol ImageConvolution: AnyObject {
  /// For tests and diagnosis.
  var implementation: String { get }
  /// Brings the weight, which may have changed, into the order that `execute` reads: before the first piece of a batch.
  func prepareWeight()
  /// Some images, on the calling thread within a parallel region; else shared among the threads.
  func execute(_ images: Range<Int>)
}

/// The gradient of a convolution's parameters, from the whole batch.
protocol ConvolutionGradient: AnyObject {
  var implementation: String { get }
  /// Computes it where nobody looks yet.
  func compute()
  /// Adds it to the parameters' gradients.
  func accumulate()
}
