package import Foundation

/// Another program, run to its end.
package enum Subprocess {
  package struct Outcome {
    package var exitCode: Int32
    /// What it wrote to standard output and standard error.
    package var lines: [String]

    package var text: String { lines.joined(separator: "\n") }
  }

  /// The folder of the programs that this package builds.
  package static var products: URL {
    URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
  }

  package static func run(_ command: [String], environment: [String: String] = [:]) throws -> Outcome {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    // These tests may themselves have started MPI: what it left in the environment would confuse another mpirun.
    var inherited = ProcessInfo.processInfo.environment.filter {
      !$0.key.hasPrefix("OMPI_") && !$0.key.hasPrefix("PMIX_")
    }
    if getuid() == 0 {
      inherited["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
      inherited["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    }
    process.environment = inherited.merging(environment) { $1 }
    let output = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    try withAllSignalsHeard { try process.run() }
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return Outcome(exitCode: process.terminationStatus, lines: text.split(separator: "\n").map(String.init))
  }

  /// Children inherit what is blocked, and Dispatch's threads, on which tests run, block nearly every signal.
  private static func withAllSignalsHeard(_ body: () throws -> Void) rethrows {
    var none = sigset_t()
    var before = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try body()
  }

  /// The program under test on `ranks` ranks; 1 starts it without mpirun.
  package static func cosface(
    _ arguments: [String], ranks: Int = 1, environment: [String: String] = [:]
  ) throws -> Outcome {
    let command = [products.appendingPathComponent("cosface").path] + arguments
    let environment = environment.merging(["OMP_NUM_THREADS": "1"]) { own, _ in own }
    if ranks == 1 { return try run(command, environment: environment) }
    return try run(mpirun + ["-n", "\(ranks)"] + command, environment: environment)
  }

  /// Two ranks that are given different arguments, stand in different folders, or of which the second has an environment
  /// of its own.
  package static func cosface(
    _ first: [String], and second: [String], folders: [String] = [".", "."], environment: [String: String] = [:]
  ) throws -> Outcome {
    // Open MPI 5.0.7's mpirun crashes where a colon joins two commands: the ranks choose theirs.
    let choose = """
      cd "${@:1 + OMPI_COMM_WORLD_RANK:1}" || exit
      if ((OMPI_COMM_WORLD_RANK)); then set -- "${@:4 + $3}"; else set -- "${@:4:$3}"; fi
      exec "$@"
      """
    let program = products.appendingPathComponent("cosface").path
    let commands = [[program] + first, ["env"] + environment.map { "\($0)=\($1)" } + [program] + second]
    return try run(
      mpirun + ["-n", "2", "bash", "-c", choose, "bash"] + folders + ["\(commands[0].count)"] + commands.joined(),
      environment: ["OMP_NUM_THREADS": "1"])
  }

  /// A bash script in mpirun's place, which says that it is of this release of Open MPI.
  package static func mpirun(of release: String = "4.1.4", doing text: String) -> String {
    """
    #!/bin/bash
    if [[ $* == --version ]]; then echo 'mpirun (Open MPI) \(release)'; exit; fi
    \(text)

    """
  }

  /// A hang is a failure of its own: mpirun ends it.
  private static let mpirun = ["mpirun", "--oversubscribe", "--bind-to", "none", "--timeout", "120"]
}
