import Foundation
import TestSupport
import Testing

/// scripts/slurm.sbatch with a program in cosface's place, and a `scontrol` that writes down what it is told.
@Suite(.serialized) struct SlurmScriptTests {
  static let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../..").standardizedFileURL.path

  /// `program`: a shell script's text. Returns what the job wrote, and what scontrol was told.
  private func submit(_ program: String, signal: Bool = false, restarts: Int = 0) throws
    -> (outcome: Subprocess.Outcome, told: String)
  {
    let folder = NSTemporaryDirectory() + "slurm-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for (name, text) in [("cosface", program), ("scontrol", "echo \"$@\" >>\(folder)/told")] {
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
        // There is no Slurm for mpirun to ask.
        "OMPI_MCA_ras": "^slurm", "OMPI_MCA_plm": "^slurm", "OMPI_MCA_ess": "^slurm",
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

  @Test(arguments: [(1, 0, false), (64, 0, false), (69, 0, true), (69, 5, false)])
  func failures(code: Int, restarts: Int, isQueuedAgain: Bool) throws {
    let (outcome, told) = try submit("exit \(code)", restarts: restarts)
    #expect(outcome.exitCode == Int32(code), "\(outcome.text)")
    #expect(told == (isQueuedAgain ? "requeue 4711\n" : ""))
  }
}
