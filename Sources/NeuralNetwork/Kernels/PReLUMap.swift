import VectorKernels

/// PReLU alone as the channel kernels take it: a = 1 and b = 0.
struct PReLUMap {
  let map: ChannelMap
  /// Rows of channels: zeros and ones.
  private let constants: AlignedMemory

  init(_ slope: Parameter) {
    constants = AlignedMemory(count: 2 * slope.count)
    constants.elements[slope.count...].update(repeating: 1)
    let rows = constants.elements.baseAddress!
    map = ChannelMap(a: rows + slope.count, b: rows, slope: slope.value.baseAddress)
  }

  /// A row of zeros.
  var zero: UnsafePointer<Float> { map.b }
}
