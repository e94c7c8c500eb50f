import Mustache

/// Text for HTML and SVG: escaped scalar by scalar, so that a mark which joins a quote or an angle bracket to one
/// character (U+0301 behind ", for one) does not smuggle it through. Control characters are left out.
struct MarkupText: MustacheContentType {
  func escapeText(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "&": result += "&amp;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\t", "\n": result.unicodeScalars.append(scalar)
      case "\0"..."\u{1F}", "\u{7F}"..."\u{9F}": continue
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
