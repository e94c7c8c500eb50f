/// Where a vector's worth of channels of one image lies: `positions` vectors, `stride` Floats apart.
@usableFromInline
package struct ChannelGroup: Sendable {
  /// The first channel: the place in rows that hold a Float per channel.
  @usableFromInline package let channel: Int
  /// Floats from the beginning of the batch to the first vector.
  @usableFromInline package let start: Int
  @usableFromInline package let stride: Int
  @usableFromInline package let positions: Int

  @inlinable
  package init(channel: Int, start: Int, stride: Int, positions: Int) {
    self.channel = channel
    self.start = start
    self.stride = stride
    self.positions = positions
  }
}
