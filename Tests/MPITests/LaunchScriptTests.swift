import Foundation
import TestSupport
import Testing

/// scripts/launch.sh with other programs in cosface's place.
@Suite(.serialized) struct LaunchScriptTests {
  static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../scripts/launch.sh").standardizedFileURL.path

  func launch(_ arguments: String..., program: String) throws -> Subprocess.Outcome {
    try Subprocess.run([Self.script] + arguments, environment: ["COSFACE_BINARY": program])
  }

  @Test func threadsReachEveryRank() throws {
    let result = try launch(
      "-n", "2", "--threads", "3", "--bind", "none", "--", "-c", "echo $OMP_NUM_THREADS $OPENBLAS_NUM_THREADS",
      program: "/bin/sh")
    #expect(result.exitCode == 0)
    #expect(result.lines.filter { $0 == "3 3" }.count == 2, "\(result)")
    #expect(result.lines.contains { $0.contains("mpirun -n 2 ") && $0.contains(" /bin/sh -c ") }, "\(result)")
  }

  @Test func moreRanksThanCoresAreWarnedOfAndRun() throws {
    let ranks = ProcessInfo.processInfo.activeProcessorCount + 1
    let result = try launch("-n", "\(ranks)", "--", "-c", "echo here", program: "/bin/sh")
    #expect(result.exitCode == 0)
    #expect(result.lines.first?.hasPrefix("launch.sh: warning: \(ranks) rank(s) of 1 thread(s)") == true, "\(result)")
    #expect(result.lines.filter { $0 == "here" }.count == ranks, "\(result)")
  }

  @Test func theExitCodeIsTheProgramsOwn() throws {
    let program = Subprocess.products.appendingPathComponent("failing-program").path
    let result = try launch("-n", "2", "--bind", "none", "--", "all", program: program)
    #expect(result.exitCode == 3)
    #expect(result.lines.filter { $0.hasPrefix("Error: ") }.count == 1, "\(result)")
  }

  @Test(arguments: [
    (["--hostfile", "/no/such/file", "train"], "launch.sh: there is no host file /no/such/file"),
    (["--threads", "0", "train"], "launch.sh: --threads needs a number of at least 1, not '0'"),
    (["-n", "many", "train"], "launch.sh: -n needs a number of at least 1, not 'many'"),
    (["--treads", "2", "train"], "launch.sh: there is no option --treads"),
    (["--bind", "left", "train"], "launch.sh: --bind is core, none, socket, numa or hwthread, not 'left'"),
    (["-n"], "launch.sh: -n needs a value"),
    ([], "launch.sh: what should cosface do?"),
  ])
  func wrongOptionsAreExplained(arguments: [String], message: String) throws {
    let result = try Subprocess.run([Self.script] + arguments, environment: ["COSFACE_BINARY": "/bin/true"])
    #expect(result.exitCode == 2)
    #expect(result.lines.count == 1 && result.lines[0].hasPrefix(message), "\(result)")
  }

  @Test func aMissingProgramIsNamed() throws {
    let result = try launch("train", program: "/no/such/cosface")
    #expect(result.exitCode == 2)
    #expect(result.lines == ["launch.sh: there is no program /no/such/cosface; build it with: swift build -c release"])
  }
}
