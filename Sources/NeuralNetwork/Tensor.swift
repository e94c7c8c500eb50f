/// A batch of values of one shape in somebody else's memory: M x shape, or, where they pass in pieces, place for one piece
/// of each thread.
package struct Tensor {
  package let elements: UnsafeMutablePointer<Float>
  package let batch: Int
  package let shape: Shape
  /// Images of a thread's piece that there is place for; nil where the whole batch is there.
  let capacity: Int?

  package init(_ elements: UnsafeMutablePointer<Float>, batch: Int, shape: Shape, capacity: Int? = nil) {
    self.elements = elements
    self.batch = batch
    self.shape = shape
    self.capacity = capacity
  }

  package var count: Int { batch * shape.count }
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
  func start(_ images: Range<Int>) -> UnsafeMutablePointer<Float> {
    guard let capacity else { return elements + images.lowerBound * shape.count }
    precondition(images.count <= capacity, "A piece of \(images.count) images where \(capacity) have place")
    return elements + Parallel.part * capacity * shape.count
  }

  /// Where the batch would begin if it lay there as a whole: image i of the piece is `shape.count` i Floats further on.
  func base(_ images: Range<Int>) -> UnsafeMutablePointer<Float> { start(images) - images.lowerBound * shape.count }
}
