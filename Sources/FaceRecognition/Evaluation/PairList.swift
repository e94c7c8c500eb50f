import Foundation

/// The pairs that a verification judges, and the image files that they name.
///
/// Two formats are read, both UTF-8 with LF or CRLF:
/// - LFW's (http://vis-www.cs.umass.edu/lfw/README.txt): see `PairList+LFW.swift`;
/// - plain: `pathA pathB 1` a line, 1 for the same person and 0 for different ones; separated by tabs, else commas, else
///   white space; empty lines and lines that start with `#` are passed over.
///
/// An image that is not there is listed in `absent`: whoever judges says how many may be.
package struct PairList: Sendable {
  /// The images in the order in which the pairs first name them.
  package private(set) var images: [String] = []
  package private(set) var pairs: [FacePair] = []
  /// The folds that the file itself prescribes: LFW's 10 (View 2), 1 for its development lists, 0 for a plain list.
  package internal(set) var foldCount = 0
  /// Images that are not there, each with the first line that names it.
  package internal(set) var absent: [(line: Int, image: String)] = []

  let path: String
  let root: String
  private var indices: [String: Int] = [:]

  /// The extensions that an image may have, tried in this order.
  static let extensions = ["jpg", "jpeg", "png", "pgm", "ppm"]

  /// Reads a list of either format; a first line of one or two numbers alone makes it LFW's. Relative names are below
  /// `root`.
  package init(path: String, root: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      // Why it cannot be read, FileManager does not say.
      let descriptor = open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor < 0 else {
        close(descriptor)
        throw FileError("read", path, code: EISDIR)
      }
      throw FileError("open", path)
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw PairListError(path: path, reason: "not UTF-8 text")
    }
    try self.init(text: text, path: path, root: root)
  }

  /// Reads the list's text; `path` is for the messages.
  package init(text: String, path: String, root: String) throws(PairListError) {
    self.path = path
    self.root = root
    var text = Substring(text)
    if text.first == "\u{FEFF}" { text.removeFirst() }
    // A CRLF is one Character: this splits at it as well.
    var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    while let last = lines.last, last.allSatisfy(\.isWhitespace) { lines.removeLast() }
    guard let first = lines.first else { throw PairListError(path: path, reason: "an empty list of pairs") }

    let numbers = first.split(whereSeparator: \.isWhitespace).map { Int($0) }
    if (1...2).contains(numbers.count), numbers.allSatisfy({ $0 != nil }) {
      try readLFW(lines, header: numbers.compactMap { $0 })
    } else {
      try readPlain(lines)
    }
    guard !pairs.isEmpty else { throw PairListError(path: path, reason: "a list without pairs") }
  }

  private mutating func readPlain(_ lines: [Substring]) throws(PairListError) {
    for (number, line) in zip(1..., lines) {
      guard let start = line.first(where: { !$0.isWhitespace }), start != "#" else { continue }
      let fields = Self.fields(line, commas: true)
      try checkLengths(fields, number)
      guard fields.count == 3 else {
        throw error(
          number,
          "'pathA pathB 0|1' is needed, but there are \(fields.count) fields (put tabs around paths with spaces)")
      }
      guard fields[2] == "0" || fields[2] == "1" else {
        throw error(number, "the last field is '\(fields[2])', but 1 (the same person) or 0 is needed")
      }
      var places: [Int] = []
      for field in fields[..<2] {
        let image = field.hasPrefix("/") ? field : root + "/" + field
        let isNew = indices[image] == nil
        places.append(index(of: image))
        if isNew, !FileManager.default.fileExists(atPath: image) { absent.append((number, image)) }
      }
      append(FacePair(places[0], places[1], same: fields[2] == "1"))
    }
  }

  /// The parts of a line: between tabs if it has one, else between commas where they are allowed, else white space.
  static func fields(_ line: Substring, commas: Bool) -> [String] {
    let parts =
      if line.contains("\t") {
        line.split(separator: "\t")
      } else if commas, line.contains(",") {
        line.split(separator: ",", omittingEmptySubsequences: false)
      } else {
        line.split(whereSeparator: \.isWhitespace)
      }
    return parts.map { $0.trimmingCharacters(in: .whitespaces) }
  }

  /// Before a message repeats what stands there.
  func checkLengths(_ fields: [String], _ line: Int) throws(PairListError) {
    for field in fields where field.utf8.count > FilePath.maximumLength {
      throw error(line, "a field of \(field.utf8.count) bytes, where \(FilePath.maximumLength) may be")
    }
  }

  mutating func append(_ pair: FacePair) { pairs.append(pair) }

  /// The place of an image in `images`, where it is put if it is new.
  mutating func index(of image: String) -> Int {
    if let index = indices[image] { return index }
    indices[image] = images.count
    images.append(image)
    return images.count - 1
  }

  /// More images are absent than the `limit`: which ones, up to ten.
  func absenceError(limit: Int) -> PairListError {
    let named = absent.prefix(10).map { "\n  line \($0.line): there is no image '\($0.image)'" }.joined()
    return PairListError(
      path: path,
      reason: "\(absent.count) of \(images.count) images are not there, where \(limit) may be unreadable" + named
        + (absent.count > 10 ? "\n  and others" : ""))
  }

  func error(_ line: Int, _ reason: String) -> PairListError {
    PairListError(path: path, line: line, reason: reason)
  }
}
