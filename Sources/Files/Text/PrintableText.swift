/// Text that comes from outside (names of files and people, values in files) must not steer the terminal that shows it.
extension String {
  /// For a whole message: control characters, and those that turn the direction of writing, are shown as `\u{1B}`. Lines
  /// stay lines.
  package var printable: String { shown { $0 == "\n" } }

  /// For a name in a message: a line's end is shown as well.
  package var printableName: String { shown { _ in false } }

  /// For JSON, where they stand in texts alone: as `\u001b`, which is the same text to every reader.
  package var printableJSON: String {
    shown(as: { "\\u" + $0.value.digits(4, radix: 16, uppercase: true) }) { $0 == "\n" }
  }

  private func shown(
    as escape: (Unicode.Scalar) -> String = { "\\u{" + $0.value.digits(2, radix: 16, uppercase: true) + "}" },
    except isKept: (Unicode.Scalar) -> Bool
  ) -> String {
    guard unicodeScalars.contains(where: { $0.steersTerminals && !isKept($0) }) else { return self }
    var result = ""
    for scalar in unicodeScalars {
      if scalar.steersTerminals && !isKept(scalar) {
        result += escape(scalar)
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

extension Unicode.Scalar {
  /// C0, DEL and C1; marks, embeddings, overrides and isolates of direction; the separators of lines and paragraphs.
  fileprivate var steersTerminals: Bool {
    switch value {
    case 0..<0x20, 0x7F..<0xA0, 0x61C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}
