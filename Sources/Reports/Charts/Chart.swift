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

  /// A place that a line across the picture marks. Its note stands above the picture, where there are no lines.
  struct Mark {
    let x: String
    let note: String
    /// As SVG's `text-anchor`: the side of the note that stands at the line.
    let anchor: String

    init(at place: Double, note: String) {
      (x, self.note) = (Chart.text(place), note)
      let share = (place - Chart.left) / (Chart.right - Chart.left)
      anchor = share < 0.25 ? "start" : share > 0.75 ? "end" : "middle"
    }
  }

  let identifier: String
  let heading: String
  /// What the picture shows, in a sentence.
  let summary: String
  let horizontalTitle: String
  let horizontalTicks: [Tick]
  /// Where the headings do not say it.
  var verticalTitle: String?
  let verticalTicks: [Tick]
  let lines: [Line]
  var marks: [Mark] = []
  let hasLegend: Bool
  let table: Table
  /// Where the lines across begin: at the top for a grid, else they are short.
  var gridTop = text(bottom)

  /// Of the picture; notes of marks stand above `topBelowNotes`.
  static let (left, right, top, bottom) = (54.0, 392.0, 10.0, 196.0)
  static let topBelowNotes = 26.0

  /// A place, to a tenth of a unit.
  static func text(_ place: Double) -> String { Figure.fixed(place, 1) }

  /// "x,y x,y ..."
  static func join(_ points: [(Double, Double)]) -> String {
    points.map { text($0.0) + "," + text($0.1) }.joined(separator: " ")
  }
}
