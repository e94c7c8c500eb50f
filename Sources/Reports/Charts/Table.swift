import Files

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
