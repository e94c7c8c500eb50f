/// A batch of values of one shape in somebody else's memory: M x shape.
package struct Tensor {
  package let elements: UnsafeMutablePointer<Float>
  package let batch: Int
  package let shape: Shape

  package init(_ elements: UnsafeMutablePointer<Float>, batch: Int, shape: Shape) {
    self.elements = elements
    self.batch = batch
    self.shape = shape
  }

  package var count: Int { batch * shape.count }
  package var buffer: UnsafeMutableBufferPointer<Float> { .init(start: elements, count: count) }

  package func images(_ range: Range<Int>) -> UnsafeMutableBufferPointer<Float> {
    .init(start: elements + range.lowerBound * shape.count, count: range.count * shape.count)
  }
}
