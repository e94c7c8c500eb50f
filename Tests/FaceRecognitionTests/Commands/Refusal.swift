import TestSupport
import Testing

/// No success, the words, and one message.
func expectRefusal(
  _ outcome: Subprocess.Outcome, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(outcome.exitCode != 0, sourceLocation: sourceLocation)
  for word in words { #expect(outcome.text.contains(word), "\(outcome.text)", sourceLocation: sourceLocation) }
  #expect(outcome.lines.count { $0.hasPrefix("Error: ") } == 1, "\(outcome.text)", sourceLocation: sourceLocation)
  #expect(!outcome.text.contains("Fatal error"), "\(outcome.text)", sourceLocation: sourceLocation)
}
