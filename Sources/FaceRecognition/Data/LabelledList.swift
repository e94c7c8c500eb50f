import Foundation

/// A list of image files and the people on them, one a line, UTF-8 with LF or CRLF:
/// - `path label`, separated by a tab, else a comma, else the line's last white space; a label is any name;
/// - `index<TAB>label<TAB>path`, as MXNet's `im2rec` writes `.lst` files.
///
/// Paths are relative to the list's folder. Empty lines and lines that start with `#` are passed over. People are numbered
/// in the order of their labels: as numbers where all are, else by the bytes of their names.
package struct LabelledList: ImageSource {
  /// The list's folder.
  package let location: String
  package let classNames: [Name]
  /// `im2rec` numbers the people of each list anew.
  package let namesPeople: Bool
  private let names: NameColumn
  private let labels: [Int32]

  /// Reads the list; no image is opened.
  ///
  /// - Throws: `DataError` naming the line that is none.
  package init(path: String) throws {
    let file = try MappedFile(path: path)
    defer { withExtendedLifetime(file) {} }
    var (names, people): ([String], [String]) = ([], [])
    var number = 0
    var hasNames = false
    for line in file.bytes.split(separator: 10, omittingEmptySubsequences: false) {
      number += 1
      func failure(_ reason: String) -> DataError { DataError("\(path), line \(number)", reason) }
      guard var text = String(validating: line.last == 13 ? line.dropLast() : line, as: UTF8.self) else {
        throw failure("it is not UTF-8 text")
      }
      if number == 1, text.hasPrefix("\u{FEFF}") { text.removeFirst() }
      text = text.trimmingCharacters(in: .whitespaces)
      if text.isEmpty || text.hasPrefix("#") { continue }
      guard let (name, person, isNumbered) = Self.fields(text) else {
        throw failure("'path label' is needed, or 'index<TAB>label<TAB>path', but it is '\(text.prefix(80))'")
      }
      for (what, field) in [("path", name), ("label", person)] where field.utf8.count > FilePath.maximumLength {
        throw failure("its \(what) has \(field.utf8.count) bytes, where \(FilePath.maximumLength) may be")
      }
      // It would end the path early, and name another file.
      guard !name.utf8.contains(0) else { throw failure("the path holds a zero byte") }
      names.append(name)
      people.append(person)
      if !isNumbered { hasNames = true }
    }
    guard !names.isEmpty else { throw DataError(path, "the list names no image") }
    guard names.count <= Int(Int32.max) else { throw DataError(path, "\(names.count) images are too many") }
    let sorted = Self.sorted(Set(people.map { Name($0) }))
    let numbers = Dictionary(uniqueKeysWithValues: zip(sorted, Int32(0)...))
    location = FilePath.split(path).folder
    classNames = sorted
    namesPeople = hasNames
    self.names = NameColumn(names)
    labels = people.map { numbers[Name($0)]! }
  }

  package var count: Int { labels.count }
  package func label(of sample: Int) -> Int { Int(labels[sample]) }
  package func identifier(of sample: Int) -> String { names[sample] }

  package func path(of sample: Int) -> String {
    let name = names[sample]
    return name.hasPrefix("/") ? name : "\(location)/\(name)"
  }

  package func encodedSize(of sample: Int) throws -> Int {
    try path(of: sample).withCString { try ImageFile(path: $0).size() }
  }

  package func withEncodedImage<Result>(
    of sample: Int, scratch: ByteBuffer, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    try path(of: sample).withCString { try ImageFile(path: $0).withBytes(scratch: scratch, body) }
  }

  private static func fields(_ line: String) -> (name: String, person: String, isNumbered: Bool)? {
    let tabbed = line.split(separator: "\t").map { $0.trimmingCharacters(in: .whitespaces) }
    if tabbed.count == 3, Int(tabbed[0]) != nil, let label = Double(tabbed[1]) {
      // im2rec writes labels as 12.000000.
      guard let whole = Int(exactly: label), whole >= 0 else { return nil }
      return (tabbed[2], String(whole), true)
    }
    let parts: [String] =
      if tabbed.count > 1 {
        tabbed
      } else if line.contains(",") {
        line.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
      } else if let space = line.lastIndex(where: \.isWhitespace) {
        [line[..<space].trimmingCharacters(in: .whitespaces), String(line[line.index(after: space)...])]
      } else {
        []
      }
    return parts.count == 2 && parts.allSatisfy { !$0.isEmpty } ? (parts[0], parts[1], false) : nil
  }

  private static func sorted(_ people: Set<Name>) -> [Name] {
    let isNumber = people.allSatisfy { person in
      let digits = person.text.utf8
      return digits.count <= 18 && digits.allSatisfy { (48...57).contains($0) }
    }
    if isNumber { return people.sorted { (Int($0.text)!, $0) < (Int($1.text)!, $1) } }
    return people.sorted()
  }
}
