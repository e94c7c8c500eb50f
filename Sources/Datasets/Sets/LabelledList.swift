package import Files

/// A list of image files and the people on them, one a line, as `DelimitedText` reads them:
/// - `path label`, separated by a tab, else a comma, else the line's last blank; a label is any name;
/// - the same under titles, such as `filename,identity`, which say which columns these are;
/// - `index<TAB>label<TAB>path`, as MXNet's `im2rec` writes `.lst` files;
/// - `1<TAB>path<TAB>label` of aligned faces, as InsightFace's tools write theirs, a box of 4 and landmarks of 10 numbers
///   behind it or not.
///
/// Paths are relative to the list's folder. People are numbered in the order of their labels: as numbers where all are, else
/// by the bytes of their names.
package struct LabelledList: ImageFiles {
  /// The list's folder.
  package let location: String
  package let classNames: [Name]
  /// The numbers of `im2rec` and InsightFace mean others in each list.
  package let namesPeople: Bool
  package let notes: [String]
  private let names: NameColumn
  private let labels: [Int32]

  /// Reads the list; no image is opened.
  ///
  /// - Throws: `FileError`, or `DataError` naming the line that is none.
  package init(path: String) throws {
    try self.init(DelimitedText(path: path))
  }

  package init(_ text: DelimitedText) throws(DataError) {
    let folder = FilePath.split(text.path).folder
    let rows = text.rows
    guard rows.count <= Int(Int32.max) else { throw DataError(text.path, "\(rows.count) images are too many") }
    let columns = LabelColumns(of: text, rows: rows) { FilePath.kind("\(folder)/\($0)") != .missing }
    var reader = LabelledLine(of: text, columns)
    var (names, people): (NameColumn.Builder, [Int32]) = (.init(), [])
    people.reserveCapacity(rows.count)
    // Numbered as they come, then in their order.
    var places: [Name: Int32] = [:]
    for row in rows.dropFirst(columns.hasTitles ? 1 : 0) {
      let (path, person) = try reader.read(row)
      names.append(path)
      let place = places[person] ?? Int32(places.count)
      if place == Int32(places.count) { places[person] = place }
      people.append(place)
    }
    guard !people.isEmpty else { throw DataError(text.path, "the list names no image") }
    try reader.refuseUnaligned(of: people.count)
    let sorted = Self.sorted(places.keys)
    var numbers = [Int32](repeating: 0, count: sorted.count)
    for (number, name) in sorted.enumerated() { numbers[Int(places[name]!)] = Int32(number) }
    location = folder
    classNames = sorted
    namesPeople = reader.hasNames
    notes = (columns.hasTitles ? [text.titleNote(rows[0])] : []) + reader.notes(of: people.count)
    self.names = NameColumn(names)
    labels = people.map { numbers[Int($0)] }
  }

  package var count: Int { labels.count }
  package func label(of sample: Int) -> Int { Int(labels[sample]) }
  package func identifier(of sample: Int) -> String { names[sample] }

  package func path(of sample: Int) -> String {
    let name = names[sample]
    return name.utf8.first == UInt8(ascii: "/") ? name : "\(location)/\(name)"
  }

  private static func sorted(_ people: some Collection<Name>) -> [Name] {
    let numbers = people.compactMap { person -> (Int, Name)? in
      let digits = person.text.utf8
      return digits.count <= 18 && digits.allSatisfy { (48...57).contains($0) } ? (Int(person.text)!, person) : nil
    }
    return numbers.count == people.count ? numbers.sorted { $0 < $1 }.map(\.1) : people.sorted()
  }
}
