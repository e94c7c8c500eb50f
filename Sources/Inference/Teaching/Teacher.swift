package import Datasets

/// A network whose embeddings a student learns to give.
package protocol Teacher: AnyObject {
  /// T, of its embeddings.
  var width: Int { get }
  /// Side of the pictures that it looks at; nil where it needs none.
  var imageSide: Int? { get }
  /// Memory besides the pictures.
  var bytes: Int { get }
  /// Of its weights, or its embeddings: another teacher is another run.
  var digest: String { get }

  /// Unit vectors (M, T) of a training batch's pictures, in its order; valid until the next call.
  ///
  /// - Throws: `EvaluationError` that names the image whose embedding has no direction.
  func embeddings(of batch: Batch) throws -> UnsafePointer<Float>
}

enum UnitRow {
  /// Makes a row of `width` one of length 1; throws an `EvaluationError` that begins with `what`.
  static func make(
    _ row: UnsafeMutablePointer<Float>, width: Int, _ what: @autoclosure () -> String
  ) throws(EvaluationError) {
    var square = 0.0
    for k in 0..<width { square += Double(row[k]) * Double(row[k]) }
    guard square.isFinite && square > 0 else {
      throw EvaluationError(
        what() + (square == 0 ? " is all zeros and has no direction" : " holds a value that is not finite"))
    }
    let factor = 1 / square.squareRoot()
    for k in 0..<width { row[k] = Float(Double(row[k]) * factor) }
  }
}
