import ArgumentParser
import Foundation
import MPI

/// Where every rank starts. What the command line says wrong is said once, not once per rank.
@main
enum Program {
  static func main() {
    do {
      var command = try parse()
      try command.run()
    } catch {
      // A run that was stopped has said so, and MPI has ended: only its exit code is left.
      guard ranks > 1, !(error is ExitCode) else { exit(error) }
      if Cosface.exitCode(for: error).isSuccess {
        // Help, which rank 0 says for all.
        if rank == 0 { print(Cosface.fullMessage(for: error)) }
        return
      }
      let report = FailureReport(
        message: Cosface.fullMessage(for: error), exitCode: Cosface.exitCode(for: error).rawValue)
      World.run(reporting: { _ in report }) { _ in throw error }
    }
  }

  /// As ArgumentParser ends a program, but with nothing in the message that steers a terminal.
  private static func exit(_ error: any Error) -> Never {
    if Cosface.exitCode(for: error).isSuccess { Cosface.exit(withError: error) }
    let message = Cosface.fullMessage(for: error)
    if !message.isEmpty { FileHandle.standardError.write(Data((message.printable + "\n").utf8)) }
    Foundation.exit(Cosface.exitCode(for: error).rawValue)
  }

  /// A mistake in a configuration file is told with its line.
  private static func parse() throws -> any ParsableCommand {
    let given = try ConfigurationArguments.ofProcess.get()
    try FormerFlag.refuse(in: given.arguments)
    do { return try Cosface.parseAsRoot(given.arguments) } catch {
      throw Cosface.exitCode(for: error).isSuccess ? error : given.located(Cosface.message(for: error)) ?? error
    }
  }

  /// What mpirun says of this process; MPI itself is not started for a page of help.
  static var ranks: Int { variable("OMPI_COMM_WORLD_SIZE") ?? 1 }
  private static var rank: Int { variable("OMPI_COMM_WORLD_RANK") ?? 0 }

  private static func variable(_ name: String) -> Int? {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
  }
}
