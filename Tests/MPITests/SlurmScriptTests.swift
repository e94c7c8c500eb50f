import Foundation
import TestSupport
import Testing

/// scripts/slurm.sbatch with a program in cosface's place, and a `scontrol` that writes down what it is told.
@Suite(.serialized) struct SlurmScriptTests {
  static let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../..").standardizedFileURL.path

  /// A folder that lasts as long as a job with all its starts.
  private final class Disk {
    let path = NSTemporaryDirectory() + "slurm-\(UUID().uuidString)"
    var failures: String { (try? String(contentsOfFile: path + "/run.failures", encoding: .utf8)) ?? "" }
    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }
  }

  /// `program`: a shell script's text; `mpirun`: one in mpirun's place. Returns what the job wrote, and what scontrol was told since the disk was new.
  private func submit(
    _ program: String, signal: Bool = false, restarts: Int = 0, on disk: Disk? = nil, mpirun: String? = nil
  ) throws
    -> (outcome: Subprocess.Outcome, told: String)
  {
    let disk = try disk ?? Disk()
    let folder = disk.path
    let programs = [("cosface", program), ("scontrol", "[[ $* == --version ]] || echo \"$@\" >>\(folder)/told")]
    for (name, text) in programs + (mpirun.map { [("mpirun", Subprocess.mpirun(doing: $0))] } ?? []) {
      try Data("#!/bin/bash\n\(text)\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(folder)/\(name)")
    }
    // As Slurm does it, the signal goes to the script alone.
    let script = "bash scripts/slurm.sbatch & job=$!; "
    let sending = "for i in $(seq 300); do [ -e \(folder)/ready ] && break; sleep 0.1; done; kill -USR1 $job; "
    let outcome = try Subprocess.run(
      ["bash", "-c", script + (signal ? sending : "") + "wait $job"],
      environment: [
        "PATH": "\(folder):\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")", "FOLDER": folder,
        "COSFACE_BINARY": "\(folder)/cosface", "COSFACE_RUN": "\(folder)/run", "SLURM_JOB_ID": "4711",
        "SLURM_NTASKS": "1", "SLURM_RESTART_COUNT": "\(restarts)", "SLURM_SUBMIT_DIR": Self.checkout,
        // There is no Slurm for mpirun to ask, whichever its release; 6's asks scontrol for its version even so.
        "OMPI_MCA_ras": "^slurm", "OMPI_MCA_plm": "^slurm", "OMPI_MCA_ess": "^slurm",
        "PRTE_MCA_ras": "^slurm", "PRTE_MCA_plm": "^slurm",
        "OMPI_MCA_hwloc_base_binding_policy": "none", "OMPI_MCA_rmaps_base_oversubscribe": "1",
      ])
    return (outcome, (try? String(contentsOfFile: "\(folder)/told", encoding: .utf8)) ?? "")
  }

  @Test func theSignalReachesTheRanksAndTheJobIsQueuedAgain() throws {
    let (outcome, told) = try submit(
      "trap 'exit 75' USR1; touch $FOLDER/ready; for i in $(seq 600); do sleep 0.1; done; exit 3", signal: true)
    #expect(outcome.exitCode == 75, "\(outcome.text)")
    #expect(told == "requeue 4711\n")
    #expect(outcome.text.contains("is saved; job 4711 goes back into the queue"))
  }

  @Test func theArgumentsLetARunGoOn() throws {
    let (outcome, told) = try submit("echo \"started: $*\"")
    #expect(outcome.exitCode == 0 && told.isEmpty, "\(outcome.text)")
    #expect(outcome.lines.contains { $0.hasPrefix("started: train --data ") && $0.contains("--resume-or-start ") })
  }

  @Test(arguments: [(1, false), (64, false), (69, true), (137, true)])
  func failures(code: Int, isQueuedAgain: Bool) throws {
    let (outcome, told) = try submit("exit \(code)")
    #expect(outcome.exitCode == Int32(code), "\(outcome.text)")
    #expect(told == (isQueuedAgain ? "requeue 4711\n" : ""))
  }

  /// Slurm counts every requeue; planned ones are no failures, however many.
  @Test func plannedRequeuesAreNoFailures() throws {
    let disk = try Disk()
    for restarts in 0..<7 { _ = try submit("", restarts: restarts, on: disk, mpirun: "exit 75") }
    let (outcome, told) = try submit("", restarts: 7, on: disk, mpirun: "exit 69")
    #expect(outcome.text.contains("goes back into the queue, restart 1 of 5"), "\(outcome.text)")
    #expect(told == String(repeating: "requeue 4711\n", count: 8))
    #expect(disk.failures.split(separator: "\n").count == 1)
  }

  /// Five restarts in a row that do not come to a planned stop are enough.
  @Test func failuresAreCountedUntilARunIsSaved() throws {
    let disk = try Disk()
    for attempt in 0..<5 {
      let (outcome, _) = try submit("", restarts: attempt, on: disk, mpirun: "exit 69")
      #expect(outcome.text.contains("restart \(attempt + 1) of 5"), "\(outcome.text)")
    }
    let (last, told) = try submit("", restarts: 5, on: disk, mpirun: "exit 69")
    #expect(last.exitCode == 69 && last.text.contains("five restarts did not help"), "\(last.text)")
    #expect(told == String(repeating: "requeue 4711\n", count: 5))
    // Saved as planned: what comes after is another matter.
    _ = try submit("", restarts: 6, on: disk, mpirun: "exit 75")
    #expect(disk.failures.isEmpty)
    _ = try submit("", restarts: 7, on: disk, mpirun: "exit 69")
    _ = try submit("", restarts: 8, on: disk, mpirun: "exit 0")
    #expect(disk.failures.isEmpty)
  }
}
