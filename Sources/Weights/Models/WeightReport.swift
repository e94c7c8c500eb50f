package import Files

/// What a warm start took from a weight file, and what it could not.
package struct WeightReport: Equatable, Sendable {
  /// A tensor that the file has in another shape or type.
  package struct Mismatch: Equatable, Sendable {
    package let name: String
    /// "F32 [64, 3, 3, 3]"
    package let found: String
    package let needed: String
  }

  /// Filled from the file, in the order of the state dict; the class weight too, where at least one row was.
  package internal(set) var loaded: [String] = []
  /// Needed, but not in the file: these keep what the network had.
  package internal(set) var missing: [String] = []
  /// In the file, but not in the network.
  package internal(set) var unexpected: [String] = []
  package internal(set) var mismatched: [Mismatch] = []
  /// Rows of the class weight that the file has nothing for: whoever calls fills them. All rows for a backbone alone.
  package internal(set) var newRows: [Int] = []
  /// People in the file that the run does not train on.
  package internal(set) var droppedClasses: [Name] = []

  /// How the file is made, and which of its names were taken.
  package internal(set) var notes: [String] = []

  package var isComplete: Bool { missing.isEmpty && mismatched.isEmpty }

  /// For a person: one line each for what is worth knowing.
  package var lines: [String] {
    var lines = ["\(loaded.count) tensors loaded"] + notes
    func add(_ items: [String], _ what: String) {
      if !items.isEmpty { lines.append("\(items.count) \(what): \(Self.list(items))") }
    }
    add(missing, "missing")
    add(mismatched.map { "\($0.name) is \($0.found), needed is \($0.needed)" }, "of another shape or type")
    add(unexpected, "in the file that the network has not")
    if !newRows.isEmpty { lines.append("\(newRows.count) new rows of the class weight") }
    add(droppedClasses.map(\.text), "people of the file are not in the data")
    return lines
  }

  static func list(_ items: [String]) -> String {
    let shown = items.prefix(8).map(\.printableName).joined(separator: ", ")
    return items.count > 8 ? "\(shown), and \(items.count - 8) more" : shown
  }
}
