/// A node of a network: its parameters and geometry. What runs for one batch size is the `Operation` that it makes.
package protocol Layer: AnyObject {
  /// The name in arcface_torch's state dict, without the parameter: "layer1.0.conv1".
  var name: String { get }
  /// In the order of the state dict.
  var parameters: [Parameter] { get }
  /// Running statistics: kept with the weights, averaged over ranks, no gradient.
  var statistics: [Parameter] { get }
  /// Whether training moves them.
  var movesStatistics: Bool { get }
  var traits: LayerTraits { get }
  var kind: LayerKind { get }

  func outputShape(_ inputs: [Shape]) -> Shape
  /// Whether the parameters' gradients are best summed over pieces of so many images, while these are in the cache,
  /// and not at once from the whole batch.
  func sumsGradientInPieces(of input: Shape, images: Int) -> Bool
  /// Images that a piece should have at least, where the batch allows it.
  func leastImages(of input: Shape) -> Int
  /// Whether the first input may come as another value and the `ChannelMap` that makes it of that one.
  func mapsInput(of input: Shape) -> Bool
  /// Of the sums of products, taken directly, that make one image's output.
  func multiplications(of input: Shape) -> Int
  func bind(_ binding: Binding) -> any Operation
}

extension Layer {
  package var parameters: [Parameter] { [] }
  package var statistics: [Parameter] { [] }
  package var movesStatistics: Bool { true }
  package func sumsGradientInPieces(of input: Shape, images: Int) -> Bool { false }
  package func leastImages(of input: Shape) -> Int { 1 }
  package func mapsInput(of input: Shape) -> Bool { false }
  package func multiplications(of input: Shape) -> Int { 0 }
}

/// What the memory plan must know of a layer to let values share memory.
package struct LayerTraits: OptionSet, Sendable {
  package let rawValue: Int
  package init(rawValue: Int) { self.rawValue = rawValue }

  /// Backward reads the first input again.
  package static let readsInput = LayerTraits(rawValue: 1)
  /// The output may take the place of the first input where nobody reads that again.
  package static let overwritesInput = LayerTraits(rawValue: 2)
  /// The first input's gradient may take the place of the output's.
  package static let overwritesGradient = LayerTraits(rawValue: 4)
  /// The second input is added to the result, so that its gradient is the output's own.
  package static let addsSecondInput = LayerTraits(rawValue: 8)
  /// Backward adds two contributions to the output's gradient on its way, leaving the sum in the first.
  package static let sumsGradients = LayerTraits(rawValue: 16)
  /// An image's output, given the sums over the batch, depends on that image alone: pieces of a batch may come in turn.
  package static let imagewise = LayerTraits(rawValue: 32)
  /// Training needs sums over the batch of the input, and of the output's gradient, before it can go on.
  package static let sumsOverBatch = LayerTraits(rawValue: 64)
  /// A convolution: its weight takes its place in the shared scratch, or in the cache, while a chain runs.
  package static let hasBlockedWeight = LayerTraits(rawValue: 128)
  /// `forward` of the same images again, after the batch went by, gives the same output: it need not be kept.
  package static let remakesOutput = LayerTraits(rawValue: 512)
  /// The output is the first input through a `ChannelMap`, which backward does not read.
  package static let mapsChannels = LayerTraits(rawValue: 2048)
  /// `backward` adds the parameters' gradients up as well.
  package static let sumsGradientsInBackward = LayerTraits(rawValue: 1024)
  /// The result is added to the second input in its place where nobody reads that again.
  package static let overwritesSecondInput = LayerTraits(rawValue: 256)
}
