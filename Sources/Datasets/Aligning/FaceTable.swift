/// Where the face lies in each of a set of images: what a detector found, or what comes with a dataset.
///
/// See `FaceTable+Reading.swift` for the formats. Kept flat: 3 million faces are 200 MB.
package struct FaceTable: Sendable {
  package enum Kind: String, Codable, Sendable {
    /// Five points, as `AlignedSize.template` orders them: x1, y1 ... x5, y5.
    case landmarks
    /// Left, top, width, height.
    case boxes

    var numbers: Int { self == .landmarks ? 10 : 4 }
  }

  /// A file's line, counted from 1.
  package struct Place: Equatable, Sendable {
    let file: Int32
    package let line: Int32
  }

  /// A row that says nothing of use, and why.
  package struct Problem: Equatable, Sendable {
    package let place: Place
    /// The image, where the row names one.
    package let name: String?
    package let reason: String
  }

  package let kind: Kind
  /// The files that were read.
  package let files: [String]
  /// The images as the rows name them: relative to the images' folder, some without an extension.
  package internal(set) var names: [String] = []
  package internal(set) var places: [Place] = []
  package internal(set) var problems: [Problem] = []
  var coordinates: [Float] = []

  init(kind: Kind, files: [String]) {
    self.kind = kind
    self.files = files
  }

  package var count: Int { names.count }

  /// The five points of a row of landmarks.
  package func landmarks(_ row: Int) -> [SimilarityTransform.Point] {
    precondition(kind == .landmarks, "Landmarks of a table of boxes")
    return (0..<5).map { point in
      let place = 10 * row + 2 * point
      return SimilarityTransform.Point(Double(coordinates[place]), Double(coordinates[place + 1]))
    }
  }

  /// The box of a row: left, top, width, height.
  package func box(_ row: Int) -> (left: Double, top: Double, width: Double, height: Double) {
    precondition(kind == .boxes, "Boxes of a table of landmarks")
    let numbers = coordinates[(4 * row)..<(4 * row + 4)].map(Double.init)
    return (numbers[0], numbers[1], numbers[2], numbers[3])
  }

  /// Whether two rows say the same.
  func agree(_ a: Int, _ b: Int) -> Bool {
    let count = kind.numbers
    return coordinates[(count * a)..<(count * (a + 1))] == coordinates[(count * b)..<(count * (b + 1))]
  }

  /// "list.csv, line 12".
  package func description(of place: Place) -> String { "\(files[Int(place.file)]), line \(place.line)" }
}
