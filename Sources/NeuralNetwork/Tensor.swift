/// A batch of values of one shape in somebody else's memory: M x shape, or, where they pass in pieces, place for one piece
/// of each thread.
package struct Tensor {
  /// Where the values begin, of whatever type they are.
  let memory: UnsafeMutableRawPointer
  package let batch: Int
  package let shape: Shape
  /// Images of a thread's piece that there is place for; nil where the whole batch is there.
  let capacity: Int?

  init(_ memory: UnsafeMutableRawPointer, batch: Int, shape: Shape, capacity: Int?) {
    self.memory = memory
    self.batch = batch
    self.shape = shape
    self.capacity = capacity
  }

  package var count: Int { batch * shape.count }
  package var elements: UnsafeMutablePointer<Float> { floats(memory) }
  /// The whole batch.
  package var buffer: UnsafeMutableBufferPointer<Float> {
    precondition(capacity == nil, "The whole batch of a value that passes in pieces")
    return .init(start: elements, count: count)
  }

  /// Of a piece that the calling thread works on.
  package func images(_ range: Range<Int>) -> UnsafeMutableBufferPointer<Float> {
    .init(start: start(range), count: range.count * shape.count)
  }

  /// Where the first image of a piece lies that the calling thread works on.
  func address(_ images: Range<Int>) -> UnsafeMutableRawPointer {
    guard let capacity else { return memory + images.lowerBound * shape.bytes }
    precondition(images.count <= capacity, "A piece of \(images.count) images where \(capacity) have place")
    return memory + Parallel.part * capacity * shape.bytes
  }

  func start(_ images: Range<Int>) -> UnsafeMutablePointer<Float> { floats(address(images)) }

  /// Where the batch would begin if it lay there as a whole: image i of the piece is `shape.count` i Floats further on.
  func base(_ images: Range<Int>) -> UnsafeMutablePointer<Float> { start(images) - images.lowerBound * shape.count }

  /// What the kernels that compute with Floats see.
  private func floats(_ start: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Float> {
    switch shape.type {
    case .float32: start.assumingMemoryBound(to: Float.self)
    }
  }
}
