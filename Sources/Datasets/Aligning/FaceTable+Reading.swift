package import Files
import Foundation

/// The formats, told apart by their first lines:
/// - VGGFace2's `loose_landmark_*.csv` and `loose_bb_*.csv`: titles NAME_ID, P1X ... P5Y or X, Y, W, H; names in quotes
///   and without extension (Cao et al., FG 2018);
/// - CelebA's `list_landmarks_*.txt` and `list_bbox_celeba.txt`: the number of images, titles, white space; and the same
///   as CSV, as Kaggle has them (Liu et al., ICCV 2015);
/// - plain: `path,x1,y1,...,x5,y5`, also without titles, with blanks or tabs, and with a score behind;
///   `path,left,top,right,bottom`;
/// - VGGFace's lists, one file per person, or a folder of them: `id url left top right bottom pose score curation`; the
///   image is PERSON/ID, PERSON the file's name without `.txt` (Parkhi et al., BMVC 2015);
/// - InsightFace's `.lst`: `flag<TAB>path<TAB>label`, a box's left, top, right, bottom, and for landmarks x1 ... x5, y1 ... y5.
extension FaceTable {
  /// Reads a file, or every `.txt` of a folder.
  ///
  /// Rows that cannot be used are in `problems`; the rest of the file is read.
  ///
  /// - Throws: `FileError`, or a `DataError` where the file is of no known format.
  package init(path: String, kind: Kind) throws {
    guard FilePath.kind(path) == .folder else {
      try self.init([DelimitedText(path: path)], kind: kind)
      return
    }
    let lists = try FileManager.default.contentsOfDirectory(atPath: path)
      .filter { $0.utf8.suffix(4).elementsEqual(".txt".utf8) }.map { Name($0) }.sorted()
    guard !lists.isEmpty else { throw DataError(path, "there is no list (.txt) in this folder") }
    try self.init(lists.map { try DelimitedText(path: "\(path)/\($0)") }, kind: kind)
  }

  package init(_ texts: [DelimitedText], kind: Kind) throws(DataError) {
    self.init(kind: kind, files: texts.map(\.path))
    for (file, text) in texts.enumerated() { try read(text, Int32(file)) }
    guard count > 0 || !problems.isEmpty else { throw DataError(files[0], "there is no row in it") }
  }

  private mutating func read(_ text: DelimitedText, _ file: Int32) throws(DataError) {
    let layout = try FaceTableLayout(of: text, kind)
    let folder = layout.isPersonList ? Self.stem(FilePath.split(text.path).name) + "/" : ""
    var fields: [DelimitedText.Field] = []
    let titles = layout.titleLine.map { line in
      text.fields(text.lines[line], layout.separator, into: &fields)
      return fields.map(text.shown)
    }
    var numbers = [Double](repeating: 0, count: kind.numbers)
    for (index, line) in text.lines.enumerated().dropFirst(layout.headerLines) where !text.isIdle(line) {
      let place = Place(file: file, line: Int32(clamping: index + 1))
      text.fields(line, layout.separator, into: &fields)
      // Where two tables were put one behind the other, the titles come again.
      if let titles, fields.count == titles.count, fields.map(text.shown) == titles { continue }
      do throws(RowError) {
        let name = try Self.name(fields, text, layout, folder)
        try Self.read(fields, text, layout, name, into: &numbers)
        if layout.hasEdges {
          numbers[2] -= numbers[0]
          numbers[3] -= numbers[1]
        }
        guard kind == .landmarks || (numbers[2] > 0 && numbers[3] > 0) else {
          throw RowError(name: name, reason: "its box is \(numbers[2]) wide and \(numbers[3]) high")
        }
        names.append(name)
        places.append(place)
        coordinates.append(contentsOf: numbers.lazy.map(Float.init))
      } catch {
        problems.append(Problem(place: place, name: error.name, reason: error.reason))
      }
    }
  }

  private struct RowError: Error {
    let name: String?
    let reason: String
  }

  private static func name(
    _ fields: [DelimitedText.Field], _ text: DelimitedText, _ layout: FaceTableLayout, _ folder: String
  ) throws(RowError) -> String {
    guard fields.count > layout.name else { throw RowError(name: nil, reason: "it names no image") }
    let field: String
    do { field = try text.string(fields[layout.name]) } catch {
      throw RowError(name: text.shown(fields[layout.name]), reason: error.reason)
    }
    let length = folder.utf8.count + field.utf8.count
    guard length <= FilePath.maximumLength else {
      throw RowError(name: text.shown(fields[layout.name]), reason: DelimitedText.tooLong(length).reason)
    }
    guard fields.count == layout.fieldCount else {
      throw RowError(name: field, reason: "it has \(fields.count) fields, where \(layout.fieldCount) are needed")
    }
    guard let name = imageName(folder + field) else {
      throw RowError(name: field, reason: "its name '\(field)' is no path below the images' folder")
    }
    return name
  }

  /// The path without empty parts and dots; nil for one that is empty, begins at the root, or climbs with "..".
  package static func imageName(_ path: String) -> String? {
    let slash = UInt8(ascii: "/")
    // By bytes: an accent behind a slash is one character with it.
    let bytes = path.utf8
    let parts = bytes.split(separator: slash).filter { !$0.elementsEqual(".".utf8) }
    guard bytes.first != slash, bytes.last != slash, !bytes.contains(0), !parts.isEmpty,
      !parts.contains(where: { $0.elementsEqual("..".utf8) })
    else { return nil }
    return parts.map { String(Substring($0)) }.joined(separator: "/")
  }

  /// A file's name without the ending `.txt`.
  private static func stem(_ name: String) -> String {
    let bytes = name.utf8
    return bytes.suffix(4).elementsEqual(".txt".utf8) && bytes.count > 4
      ? String(Substring(bytes.dropLast(4))) : name
  }

  private static func read(
    _ fields: [DelimitedText.Field], _ text: DelimitedText, _ layout: FaceTableLayout, _ name: String,
    into numbers: inout [Double]
  ) throws(RowError) {
    for (place, column) in layout.columns.enumerated() {
      let value = text.number(fields[column])
      // As a Float too: the table keeps them so.
      guard let value, Float(value).isFinite else {
        throw RowError(name: name, reason: "'\(text.shown(fields[column]))' in field \(column + 1) is no coordinate")
      }
      numbers[place] = value
    }
  }
}
