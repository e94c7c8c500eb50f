/// What a layer computes, as measurements tell layers apart.
package struct LayerKind: Equatable, Sendable {
  package enum Family: String, Codable, CaseIterable, Sendable {
    case convolution3x3 = "3 x 3 convolutions"
    case convolution1x1 = "1 x 1 convolutions"
    case depthwise = "depthwise convolutions"
    case otherConvolution = "other convolutions"
    case fullyConnected = "fully connected"
    case normalization = "normalization and activation"
    case other = "flatten and dropout"
  }

  package let family: Family
  /// Side of a convolution's kernel in pixels; nil where there is none.
  package private(set) var kernel: Int?
  package private(set) var stride: Int?
  package private(set) var groups: Int?
  /// What it computes in one pass, in order: ["3x3/2"], ["norm", "prelu", "add"].
  package private(set) var parts: [String]

  /// - Parameter parts: what it computes, in order; of several operations in one pass over memory all of them.
  init(_ family: Family, _ parts: String...) { (self.family, self.parts) = (family, parts) }

  /// - Parameter parts: what the same pass over memory computes behind it.
  init(_ convolution: ConvolutionGeometry, and parts: [String] = []) {
    let layer = convolution
    switch (layer.kernel, layer.groups) {
    case (_, layer.inputs) where layer.inputs > 1 && layer.outputs == layer.inputs: family = .depthwise
    case (3, 1): family = .convolution3x3
    case (1, 1): family = .convolution1x1
    default: family = .otherConvolution
    }
    (kernel, stride, groups) = (layer.kernel, layer.stride, layer.groups)
    let groups = family == .depthwise ? " dw" : layer.groups > 1 ? " g\(layer.groups)" : ""
    self.parts = ["\(layer.kernel)x\(layer.kernel)" + (layer.stride > 1 ? "/\(layer.stride)" : "") + groups] + parts
  }

  /// The same with more in its one pass over memory.
  func and(_ part: String?) -> LayerKind {
    var own = self
    if let part { own.parts.append(part) }
    return own
  }
}

/// A way through a layer that can be measured apart from the others.
package enum LayerDirection: String, Codable, CaseIterable, Sendable {
  case forward
  /// The output once more in backward, where it was not kept.
  case forwardAgain
  /// To the input's gradient.
  case backwardData
  /// To the parameters' gradients. Of a batch normalization its sums over the batch, which the input's gradient needs
  /// as well.
  case backwardWeights
  /// Both at once.
  case backward
}
