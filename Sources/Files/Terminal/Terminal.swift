import Foundation
package import Synchronization

/// The one way by which text reaches a person: nothing in it steers the terminal.
package enum Terminal {
  /// On standard output, with `end` behind it.
  package static func print(_ text: String, end: String = "\n") { write(text.printable + end, to: .standardOutput) }

  /// A line on standard output: a line's end in a name is shown.
  package static func print(line: String) { write(line.printableName + "\n", to: .standardOutput) }

  /// A value as JSON on standard output, indented or on one line.
  package static func print(json value: some Encodable, inOneLine: Bool = false) throws {
    let json = inOneLine ? try JSONText.line(value) + Data("\n".utf8) : try JSONText.indented(value)
    write(String(decoding: json, as: UTF8.self).printableJSON, to: .standardOutput)
  }

  /// A line of its own on standard error: what does not belong to a command's result.
  package static func note(_ line: String) { write(line.printableName + "\n", to: .standardError) }

  /// Whether this process is the one that speaks for all ranks: MPI says so at its start.
  package static let speaksForAll = Atomic<Bool>(true)

  /// The same, from one rank: the others are silent.
  package static func noteOnce(_ line: String) {
    if speaksForAll.load(ordering: .relaxed) { note(line) }
  }

  /// Whole lines, which may begin with what rewrites a terminal's last one.
  package static func progress(_ text: String, rewriting start: String = "", end: String = "\n") {
    write(start + text.printableName + end, to: .standardError)
  }

  private static func write(_ text: String, to file: FileHandle) { file.write(Data(text.utf8)) }
}
