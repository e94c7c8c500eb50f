/// The innermost loops, in the registers of one kind of processor: `AVX2Kernels`, or those of AVX-512 in `WideKernels`,
/// the module that alone is compiled for them.
///
/// A process takes one set and calls it through `any KernelSet.Type`: an indirect call for a run of many elements. The
/// loops themselves are extensions of this protocol, written over `Vector` and inlined into each set's witnesses.
@usableFromInline
package protocol KernelSet: SendableMetatype {
  associatedtype Vector: FloatVector

  // Batch normalization and PReLU, a group of channels at a time: KernelSet+Channels.swift.
  static func addMoments(
    _ group: ChannelGroup, _ x: UnsafePointer<Float>, shift: UnsafePointer<Float>,
    to sums: UnsafeMutablePointer<Double>)
  static func apply(
    _ map: ChannelMap, _ group: ChannelGroup, _ x: UnsafePointer<Float>, adding residual: UnsafePointer<Float>?,
    to y: UnsafeMutablePointer<Float>)
  static func addGradients(
    _ map: ChannelMap, _ group: ChannelGroup, _ dy: UnsafeMutablePointer<Float>, adding other: UnsafePointer<Float>?,
    _ x: UnsafePointer<Float>, mean: UnsafePointer<Float>, to sums: UnsafeMutablePointer<Double>)
  static func applyGradient(
    _ map: ChannelMap, _ group: ChannelGroup, _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>,
    c: UnsafePointer<Float>, d: UnsafePointer<Float>, to dx: UnsafeMutablePointer<Float>)

  // Tiles of matrix products: KernelSet+Products.swift.
  static func multiplyRows(
    steps: Int, _ a: UnsafePointer<Float>, rowStride: Int, _ b: UnsafePointer<Float>, stepStride: Int, adding: Bool,
    into c: UnsafeMutablePointer<Float>, leading: Int)
  static func multiplyColumns(
    steps: Int, _ a: UnsafePointer<Float>, columnStride: Int, _ b: UnsafePointer<Float>, stepStride: Int, adding: Bool,
    into c: UnsafeMutablePointer<Float>, leading: Int)
  static func innerProducts(
    _ count: Int, _ a: UnsafePointer<Float>, strideA: Int, rowsA: Int, _ b: UnsafePointer<Float>, strideB: Int,
    rowsB: Int, into c: UnsafeMutablePointer<Float>)

  // Depthwise convolutions of an image whose channels are blocks of a vector: DepthwiseImage.swift.
  static func convolve(
    _ image: DepthwiseImage, _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>)
  static func spreadGradient(
    _ image: DepthwiseImage, _ dy: UnsafePointer<Float>, _ w: UnsafePointer<Float>,
    into dx: UnsafeMutablePointer<Float>)

  // Winograd's transforms of such images: WinogradTiles+Transforms.swift.
  static func transformInputs(
    _ tiles: WinogradTiles, _ range: Range<Int>, _ groups: Range<Int>, of count: Int, _ x: UnsafePointer<Float>,
    map: ChannelMap?, into v: UnsafeMutablePointer<Float>, rowStride: Int, plane: Int)
  static func transformGradients(
    _ tiles: WinogradTiles, _ range: Range<Int>, _ groups: Range<Int>, of count: Int, _ dy: UnsafePointer<Float>,
    into z: UnsafeMutablePointer<Float>, panel: Int, plane: Int)
  static func transformOutputs(
    _ tiles: WinogradTiles, _ range: Range<Int>, _ groups: Range<Int>, of count: Int, _ m: UnsafePointer<Float>,
    rowStride: Int, plane: Int, bias: UnsafePointer<Float>?, into y: UnsafeMutablePointer<Float>)

  // And of weights: KernelSet+WinogradWeights.swift.
  static func transformWeights(
    _ filter: WinogradFilter, _ weight: UnsafePointer<Float>, count: Int, into u: UnsafeMutablePointer<Float>,
    plane: Int)
  static func addWeightGradients(
    _ filter: WinogradFilter, _ u: UnsafePointer<Float>, plane: Int, count: Int,
    to gradient: UnsafeMutablePointer<Float>)
}

/// In vectors of 8 Floats.
package enum AVX2Kernels: KernelSet {
  package typealias Vector = SIMD8<Float>
}
