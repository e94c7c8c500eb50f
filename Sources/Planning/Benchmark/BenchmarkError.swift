/// A benchmark that cannot be made as it was asked for.
package struct BenchmarkError: Error, Equatable, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}
