import ArgumentParser

/// Checks of the command line that several commands make.
enum Validation {
  /// Commands that write or print by themselves, whatever mpirun starts.
  static func oneProcess(_ command: String, threads option: String?) throws {
    guard Program.ranks == 1 else {
      let threads = option.map { " with \($0) threads" } ?? ""
      throw ValidationError(
        "\(command) is one process\(threads); mpirun started \(Program.ranks). Start it without mpirun.")
    }
  }
}
