import Files
import Foundation

/// A drawing as its template takes it: places in a picture of 400 x 240 units, and everything said in words and numbers
/// too, for those who do not see it.
struct Chart {
  struct Line {
    let name: String
    /// Chooses color and dashes.
    let number: Int
    /// "x,y x,y ..."
    let points: String
    /// The outline of smallest and largest values.
    let area: String?
    let dots: [Dot]
  }

  struct Dot {
    let x: String
    let y: String
  }

  struct Tick {
    let place: String
    let text: String
  }

  struct Mark {
    let x: String
    let number: Int
    let note: String
    /// Whether the note stands to the left of the line: there is more room.
    let isNoteLeft: Bool
  }

  let identifier: String
  let heading: String
  /// What the picture shows, in a sentence.
  let summary: String
  let horizontalTitle: String
  let horizontalTicks: [Tick]
  let verticalTicks: [Tick]
  let lines: [Line]
  let marks: [Mark]
  let hasLegend: Bool
  let table: Table

  static let (left, right, top, bottom) = (54.0, 392.0, 10.0, 196.0)

  /// A place, to a tenth of a unit.
  static func text(_ place: Double) -> String { Figure.fixed(place, 1) }
}

/// Rows of text under headers.
struct Table {
  struct Row {
    let title: String
    let cells: [Cell]
    /// Of a comparison: whether the cells are not all the same.
    let isDifferent: Bool
  }

  struct Cell {
    let text: String
  }

  let caption: String
  let corner: String
  let columns: [String]
  let rows: [Row]

  init(
    caption: String, corner: String, columns: [String], rows: [(title: String, cells: [String])], compares: Bool = false
  ) {
    self.caption = caption
    self.corner = corner
    self.columns = columns
    self.rows = rows.map { row in
      Row(
        title: row.title, cells: row.cells.map(Cell.init),
        isDifferent: compares && Set(row.cells.map { Name($0) }).count > 1)
    }
  }
}

/// Numbers as people read them.
enum Figure {
  static func fixed(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

  /// Five significant digits, no zeros at the end.
  static func short(_ value: Double) -> String { String(format: "%.5g", value) }

  static func percent(_ share: Double) -> String { fixed(100 * share, 2) + " %" }

  static func duration(_ seconds: Double) -> String {
    switch seconds {
    case ..<120: fixed(seconds, 1) + " s"
    case ..<7200: fixed(seconds / 60, 1) + " min"
    default: fixed(seconds / 3600, 1) + " h"
    }
  }
}
