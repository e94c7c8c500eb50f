import ArgumentParser

/// Checks of numbers from the command line: the message names the option, the value and what is allowed.
enum Validation {
  static func positive(_ option: String, _ value: Double) throws {
    guard value > 0, value.isFinite else { throw ValidationError("\(option) \(value) must be a number above 0.") }
  }

  static func notNegative(_ option: String, _ value: Double) throws {
    guard value >= 0, value.isFinite else { throw ValidationError("\(option) \(value) must be 0 or more.") }
  }

  static func atLeast(_ minimum: Int, _ option: String, _ value: Int) throws {
    guard value >= minimum else { throw ValidationError("\(option) \(value) must be \(minimum) or more.") }
  }

  static func multipleOf16(_ option: String, _ value: Int) throws {
    guard value > 0, value % 16 == 0 else { throw ValidationError("\(option) \(value) must be a multiple of 16.") }
  }

  /// Commands that write or print by themselves, whatever mpirun starts.
  static func oneProcess(_ command: String, threads option: String?) throws {
    guard Program.ranks == 1 else {
      let threads = option.map { " with \($0) threads" } ?? ""
      throw ValidationError(
        "\(command) is one process\(threads); mpirun started \(Program.ranks). Start it without mpirun.")
    }
  }

  static func cosine(_ option: String, _ value: Double) throws {
    guard (-1...1).contains(value) else { throw ValidationError("\(option) \(value) must be a cosine, from -1 to 1.") }
  }
}
