/// The two ways through a convolution that have images at both ends.
enum ConvolutionDirection {
  /// From the layer's inputs to its outputs.
  case forward
  /// From the outputs' gradient to the inputs': the weight turned by half a circle, its channels exchanged.
  case backward
}
