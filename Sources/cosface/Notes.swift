import Files

/// What a reader took for something that the user may not have meant, told before the work begins.
enum Notes {
  static func show(_ notes: [String]) { for note in notes { Terminal.note("Note: \(note).") } }
}
