/// Rows of text in columns, for people.
package enum TextTable {
  /// A line a row. Each column is as wide as its longest cell, two blanks lie between them, and nothing behind the last text.
  ///
  /// - Parameter right: columns whose cells keep to the right.
  package static func lines(_ rows: [[String]], right: Range<Int> = 0..<0) -> [String] {
    let widths = (0..<(rows.map(\.count).max() ?? 0)).map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      let line = row.indices.map { column in
        let blanks = String(repeating: " ", count: widths[column] - row[column].count)
        return right.contains(column) ? blanks + row[column] : row[column] + blanks
      }.joined(separator: "  ")
      return String(line[..<(line.lastIndex { $0 != " " }.map(line.index(after:)) ?? line.startIndex)])
    }
  }
}
