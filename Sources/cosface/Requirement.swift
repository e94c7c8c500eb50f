import ArgumentParser

/// Checks of the command line that several commands make.
enum Requirement {
  /// Commands that write or print by themselves, whatever mpirun starts.
  static func oneProcess(_ command: String, workers hasWorkers: Bool) throws {
    guard Program.ranks == 1 else {
      let threads = hasWorkers ? " with --workers threads" : ""
      throw ValidationError(
        "\(command) is one process\(threads); mpirun started \(Program.ranks). Start it without mpirun.")
    }
  }
}
