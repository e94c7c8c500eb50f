import Files

/// Which fields of a table's rows are the image's name and its coordinates.
struct FaceTableLayout {
  let separator: DelimitedText.Separator
  /// The field of the image's name.
  let name: Int
  /// The fields of the coordinates, in `FaceTable.Kind`'s order.
  let columns: [Int]
  /// Fields that a row must have.
  let fieldCount: Int
  /// Whether the third and fourth number are the right and bottom edge, not width and height.
  var hasEdges = false
  /// Whether the images' folder is the file's own name.
  var isPersonList = false
  /// The line of the titles.
  let titleLine: Int?
  /// Lines before the first row.
  let headerLines: Int

  private static let nameTitles = ["name_id", "image_id", "image", "path", "name", "file", "filename"]

  /// Titles of the coordinates, by kind; each list is one convention.
  private static func titles(_ kind: FaceTable.Kind) -> [[String]] {
    switch kind {
    case .landmarks:
      let celebA = ["lefteye", "righteye", "nose", "leftmouth", "rightmouth"]
      return [
        (1...5).flatMap { ["p\($0)x", "p\($0)y"] },
        celebA.flatMap { ["\($0)_x", "\($0)_y"] },
        (1...5).flatMap { ["x\($0)", "y\($0)"] },
      ]
    case .boxes:
      return [["x", "y", "w", "h"], ["x_1", "y_1", "width", "height"], ["left", "top", "right", "bottom"]]
    }
  }

  /// Recognizes the format by the first lines.
  ///
  /// - Throws: `DataError` where it is none that we know.
  init(of text: DelimitedText, _ kind: FaceTable.Kind) throws(DataError) {
    guard let start = text.lines.firstIndex(where: { !text.isIdle($0) }) else {
      throw DataError(text.path, "the file is empty")
    }
    let first = text.lines[start]
    var fields: [DelimitedText.Field] = []
    text.fields(first, .whitespace, into: &fields)
    // CelebA's own files: the number of images, then the titles.
    let isCounted = fields.count == 1 && text.integer(fields[0]) != nil
    let titleLine = isCounted && start + 1 < text.lines.count ? start + 1 : start
    let header = text.lines[titleLine]
    // An address may hold commas: VGGFace's lists come before them.
    if kind == .boxes, fields.count == 9, text.shown(fields[1]).contains("://") {
      self.init(separator: .whitespace, name: 0, columns: [2, 3, 4, 5], fieldCount: 9)
      (hasEdges, isPersonList) = (true, true)
      return
    }
    let separator = isCounted ? .whitespace : text.separator(of: header)
    text.fields(header, separator, into: &fields)
    if separator == .tab, fields.count == 17 || (kind == .boxes && fields.count == 7),
      ["0", "1"].contains(where: { text.isEqual(fields[0], $0) }), fields[2...].allSatisfy({ text.number($0) != nil })
    {
      let points = (0..<5).flatMap { [7 + $0, 12 + $0] }
      self.init(
        separator: separator, name: 1, columns: kind == .landmarks ? points : [3, 4, 5, 6], fieldCount: fields.count)
      hasEdges = kind == .boxes
      return
    }
    if !isCounted, kind == .landmarks, fields.count >= 11, fields[1...10].allSatisfy({ text.number($0) != nil }) {
      // No titles; detectors put a score behind the points.
      self.init(separator: separator, name: 0, columns: Array(1...10), fieldCount: fields.count)
      return
    }
    try self.init(
      titles: fields.map { text.shown($0).lowercased() }, separator, kind, line: titleLine, isCounted: isCounted,
      text.path)
  }

  private init(
    separator: DelimitedText.Separator, name: Int, columns: [Int], fieldCount: Int, titleLine: Int? = nil
  ) {
    (self.separator, self.name, self.columns) = (separator, name, columns)
    (self.fieldCount, self.titleLine, headerLines) = (fieldCount, titleLine, titleLine.map { $0 + 1 } ?? 0)
  }

  private init(
    titles: [String], _ separator: DelimitedText.Separator, _ kind: FaceTable.Kind, line: Int, isCounted: Bool,
    _ path: String
  ) throws(DataError) {
    let conventions = Self.titles(kind)
    let known = conventions.map { convention in convention.filter(titles.contains) }
    let best = conventions.indices.max { known[$0].count < known[$1].count }!
    let missing = conventions[best].filter { !titles.contains($0) }
    guard missing.isEmpty else {
      let formats =
        kind == .landmarks
        ? "'NAME_ID,P1X,P1Y,...,P5Y', CelebA's 'lefteye_x lefteye_y ...', or rows 'path,x1,y1,...,x5,y5'"
        : "'NAME_ID,X,Y,W,H', CelebA's 'image_id x_1 y_1 width height', 'path,left,top,right,bottom', "
          + "or VGGFace's rows 'id url left top right bottom pose score curation'"
      let what =
        known[best].isEmpty
        ? "its first lines are of no format of \(kind.rawValue) that is known"
        : "the column\(missing.count == 1 ? "" : "s") \(missing.joined(separator: ", ")) "
          + "\(missing.count == 1 ? "is" : "are") missing"
      throw DataError(path, what, remedy: "Known are \(formats).")
    }
    let columns = conventions[best].map { titles.firstIndex(of: $0)! }
    if let name = Self.nameTitles.lazy.compactMap({ titles.firstIndex(of: $0) }).first {
      self.init(separator: separator, name: name, columns: columns, fieldCount: titles.count, titleLine: line)
    } else if isCounted {
      // CelebA gives its landmarks titles, but none to the names before them.
      self.init(
        separator: separator, name: 0, columns: columns.map { $0 + 1 }, fieldCount: titles.count + 1, titleLine: line)
    } else {
      throw DataError(
        path, "no column names the images",
        remedy: "Its title should be one of \(Self.nameTitles.joined(separator: ", ")).")
    }
    hasEdges = kind == .boxes && best == 2
  }
}
