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

  /// ssh brings no variables along: those that choose kernels are named to mpirun.
  @Test func whatChoosesKernelsReachesEveryRank() throws {
    let result = try Subprocess.run(
      [Self.script, "-n", "1", "--bind", "none", "--", "-c", "true"],
      environment: [
        "COSFACE_BINARY": "/bin/sh", "ONEDNN_MAX_CPU_ISA": "AVX2", "OPENBLAS_CORETYPE": "Haswell", "MINE": "1",
      ])
    let command = result.lines.first { $0.contains("mpirun -n 1 ") } ?? ""
    for name in ["ONEDNN_MAX_CPU_ISA", "OPENBLAS_CORETYPE", "OMP_NUM_THREADS"] {
      #expect(command.contains(" -x \(name) "), "\(result)")
    }
    #expect(!command.contains("MINE"))
  }

  @Test func moreRanksThanCoresAreWarnedOfAndRun() throws {
    let ranks = ProcessInfo.processInfo.activeProcessorCount + 1
    let result = try launch("-n", "\(ranks)", "--", "-c", "echo here", program: "/bin/sh")
    #expect(result.exitCode == 0)
    #expect(result.lines.first?.hasPrefix("launch.sh: warning: \(ranks) rank(s) of 1 thread(s)") == true, "\(result)")
    #expect(result.lines.filter { $0 == "here" }.count == ranks, "\(result)")
  }

  @Test(arguments: ["\n", "\r\n", "\r"], ["", "\u{FEFF}"]) func hostFilesOfAnyEditor(end: String, mark: String) throws {
    let file = NSTemporaryDirectory() + "hosts-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: file) }
    let text = mark + ["# mine", "localhost slots=1 # here", ""].joined(separator: end)
    try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    let result = try launch("--hostfile", file, "--bind", "none", "--", "-c", "echo here", program: "/bin/sh")
    #expect(result.exitCode == 0 && result.lines.filter { $0 == "here" }.count == 1, "\(result)")
  }

  /// Many a shell exports it, and `nproc` heeds it.
  @Test func coresAreCountedWhateverOMPNumThreadsIs() throws {
    let counts = try ["1", "7"].map { threads in
      let result = try Subprocess.run(
        [Self.script, "--", "-c", "echo here"], environment: ["COSFACE_BINARY": "/bin/sh", "OMP_NUM_THREADS": threads])
      return result.lines.filter { $0 == "here" }.count
    }
    #expect(counts[0] == counts[1] && counts[0] > 0)
    // All cores have second threads, or none.
    #expect([1, 2].contains(ProcessInfo.processInfo.activeProcessorCount / counts[0]))
  }

  @Test func theExitCodeIsTheProgramsOwn() throws {
    let program = Subprocess.products.appendingPathComponent("failing-program").path
    let result = try launch("-n", "2", "--bind", "none", "--", "all", program: program)
    #expect(result.exitCode == 3)
    #expect(result.lines.filter { $0.hasPrefix("Error: ") }.count == 1, "\(result)")
  }

  @Test(arguments: [
    (["--hostfile", "/no/such/file", "train"], "launch.sh: there is no host file /no/such/file"),
    (["--threads", "0", "train"], "launch.sh: --threads needs a whole number from 1 to 1024, not '0'"),
    (["-n", "many", "train"], "launch.sh: -n needs a whole number from 1 to 1000000, not 'many'"),
    (["-n", "99999999999999999999", "train"], "launch.sh: -n needs a whole number from 1 to 1000000"),
    (["--restarts", "-1", "train"], "launch.sh: --restarts needs a whole number from 1 to 10000, not '-1'"),
    (["--treads", "2", "train"], "launch.sh: there is no option --treads"),
    (["--bind", "left", "train"], "launch.sh: --bind is core, none, socket, numa or hwthread, not 'left'"),
    (["-n"], "launch.sh: -n needs a value"),
    (["--restarts", "2", "check"], "launch.sh: --restarts is for train, not for check"),
    (["--restarts", "2", "train", "--data", "d"], "launch.sh: --restarts needs to know the run's folder"),
    ([], "launch.sh: what should cosface do?"),
  ])
  func wrongOptionsAreExplained(arguments: [String], message: String) throws {
    let result = try Subprocess.run([Self.script] + arguments, environment: ["COSFACE_BINARY": "/bin/true"])
    #expect(result.exitCode == 2)
    #expect(result.lines.count == 1 && result.lines[0].hasPrefix(message), "\(result)")
  }

  /// A program in cosface's place that writes down how it is started, and ends with each of `codes` in turn.
  private func restart(_ arguments: [String], restarts: Int = 2, codes: [Int]) throws
    -> (outcome: Subprocess.Outcome, starts: [String])
  {
    let folder = NSTemporaryDirectory() + "launch-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let program = folder + "/program"
    let text = """
      #!/bin/bash
      echo "$*" >>\(folder)/starts
      codes=(\(codes.map(String.init).joined(separator: " ")))
      code=${codes[$(wc -l <\(folder)/starts) - 1]}
      [[ $code != 137 ]] || kill -KILL $$
      exit $code

      """
    try Data(text.utf8).write(to: URL(fileURLWithPath: program))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
    let outcome = try Subprocess.run(
      [Self.script, "-n", "1", "--bind", "none", "--restarts", "\(restarts)", "--"] + arguments,
      environment: ["COSFACE_BINARY": program])
    let starts = try String(contentsOfFile: folder + "/starts", encoding: .utf8)
    return (outcome, starts.split(separator: "\n").map(String.init))
  }

  @Test func aRankThatWasKilledIsStartedAgainFromItsRun() throws {
    let (outcome, starts) = try restart(
      ["train", "--data", "d", "--output", "runs/a", "--steps", "9"], codes: [137, 69, 0])
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(
      starts == [
        "train --data d --output runs/a --steps 9", "train --data d --resume-or-start runs/a --steps 9",
        "train --data d --resume-or-start runs/a --steps 9",
      ])
    #expect(outcome.text.contains("exit code 137; starting again from the last checkpoint of runs/a (1 of 2 restarts)"))
  }

  @Test(arguments: [0, 1, 64, 75]) func whatWouldComeAgainOrIsDoneIsNotStartedAgain(code: Int) throws {
    let (outcome, starts) = try restart(["train", "--output=runs/a"], codes: [code, 0])
    #expect(outcome.exitCode == Int32(code) && starts.count == 1, "\(outcome)")
  }

  @Test func restartsAreCounted() throws {
    let (outcome, starts) = try restart(["train", "--resume", "runs/a"], restarts: 1, codes: [70, 70, 0])
    #expect(outcome.exitCode == 70, "\(outcome)")
    #expect(starts == ["train --resume runs/a", "train --resume runs/a"])
  }

  /// A folder with programs of its own, which come first in PATH, and a host file.
  private final class Stage {
    let path = NSTemporaryDirectory() + "launch-\(UUID().uuidString)"

    init(hosts: String = "localhost slots=1\n") throws {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try Data(hosts.utf8).write(to: URL(fileURLWithPath: path + "/hosts"))
    }

    func add(_ name: String, _ text: String) throws {
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(path)/\(name)")
    }

    /// The script runs under a shell, which makes an exit code of a signal.
    func launch(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Subprocess.Outcome {
      let own = [
        "PATH": "\(path):\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")",
        "COSFACE_BINARY": "/bin/true",
      ]
      return try Subprocess.run(
        ["bash", "-c", "\"$0\" \"$@\"; exit $?", script] + arguments, environment: own.merging(environment) { $1 })
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
  }

  /// Two failures in a row: a host that was lost at the first stays out while it is silent, and comes back when it answers.
  @Test func hostsAreAskedAnewAtEachRestart() throws {
    let stage = try Stage(hosts: "alpha slots=2\nbeta slots=1\ngamma slots=1\n")
    let folder = stage.path
    // The host is the word before what it shall do.
    try stage.add("ssh", "#!/bin/bash\n! grep -qx \"${@: -2:1}\" \(folder)/dead\n")
    try stage.add("sleep", "#!/bin/bash\nexec /bin/sleep 0.05\n")
    try stage.add(
      "mpirun",
      Subprocess.mpirun(
        doing: """
          printf '%s\\n' "$*" >>\(folder)/starts
          case $(wc -l <\(folder)/starts) in
            1) echo beta >\(folder)/dead; exit 69 ;;
            2) echo gamma >>\(folder)/dead; exit 255 ;;
            3) echo gamma >\(folder)/dead; exit 69 ;;
            4) : >\(folder)/dead; exit 69 ;;
          esac
          """))
    // Of 12 samples a step: 4, 3, 2 or 1 ranks.
    try stage.add("program", "#!/bin/bash\necho '\"globalBatchSize\" : 12,'\n")
    try stage.add("dead", "")
    let outcome = try stage.launch(
      ["--hostfile", folder + "/hosts", "--restarts", "4", "--", "train", "--output", "r"],
      ["COSFACE_BINARY": folder + "/program"])
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    let starts = try String(contentsOfFile: folder + "/starts", encoding: .utf8).split(separator: "\n")
    let wanted = [
      "-n 4 --hostfile \(folder)/hosts ", "-n 3 --host alpha:2,gamma:1 ", "-n 2 --host alpha:2 ",
      "-n 3 --host alpha:2,beta:1 ", "-n 4 --hostfile \(folder)/hosts ",
    ]
    #expect(starts.count == 5, "\(outcome.text)")
    for (start, words) in zip(starts, wanted) { #expect(start.hasPrefix(words), "\(start)") }
    for words in [
      "no answer from beta: going on without", "no answer from beta gamma: going on without",
      "beta answers again", "gamma answers again",
    ] { #expect(outcome.text.contains(words), "\(words) is not in \(outcome.text)") }
  }

  /// An mpirun that hangs at its end when its processes are gone, as Open MPI's does now and then.
  @Test(arguments: [[], ["--restarts", "1"]]) func anMpirunThatHangsIsEnded(options: [String]) throws {
    let stage = try Stage()
    // It waits for what nobody writes, with no process of its own left.
    try stage.add("mpirun", Subprocess.mpirun(doing: "sleep 2 &\nwait\nread -r nothing <>\(stage.path)/pipe"))
    #expect(mkfifo(stage.path + "/pipe", 0o600) == 0)
    let outcome = try stage.launch(
      ["-n", "1"] + options + ["--", "train", "--output", stage.path + "/run"], ["COSFACE_GUARD_SECONDS": "2"])
    #expect(outcome.exitCode == 137, "\(outcome.text)")
    #expect(outcome.lines.contains { $0.hasPrefix("mpirun has had no process for 2 s") }, "\(outcome.text)")
  }

  /// ORTE's options, and PRRTE's.
  @Test(arguments: [
    (
      "4.1.4",
      "--oversubscribe --mca mpi_yield_when_idle 1 --map-by slot --bind-to none --mca btl_tcp_if_include 10.1.0.0/16 "
        + "--mca oob_tcp_if_include 10.1.0.0/16 --mca oob_tcp_keepalive_time 8 --mca oob_tcp_keepalive_intvl 4 "
        + "--mca oob_tcp_keepalive_probes 2 --mca plm_rsh_args -o ServerAliveInterval=5 "
    ),
    (
      "5.0.7",
      "--mca mpi_yield_when_idle 1 --map-by slot:OVERSUBSCRIBE --bind-to none --mca btl_tcp_if_include 10.1.0.0/16 "
        + "--prtemca prte_if_include 10.1.0.0/16 --prtemca oob_tcp_keepalive_time 8 --prtemca oob_tcp_keepalive_intvl 4 "
        + "--prtemca oob_tcp_keepalive_probes 2 --prtemca plm_ssh_args -o ServerAliveInterval=5 "
    ),
    ("6.0.0rc1", "--mca mpi_yield_when_idle 1 --map-by slot:OVERSUBSCRIBE --bind-to none "),
  ])
  func eachReleaseGetsItsOwnOptions(release: String, options: String) throws {
    let stage = try Stage()
    try stage.add("mpirun", Subprocess.mpirun(of: release, doing: "echo \"got $*\""))
    let outcome = try stage.launch(
      ["-n", "2", "--hostfile", stage.path + "/hosts", "--interface", "10.1.0.0/16", "--", "true"])
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    let got = outcome.lines.last { $0.hasPrefix("got ") } ?? ""
    #expect(got.hasPrefix("got -n 2 --hostfile \(stage.path)/hosts \(options)"), "\(outcome.text)")
  }

  /// mpirun of Open MPI 5.0 that has lost a host says so, and ends with 0.
  @Test(arguments: [0, 1]) func aLostHostIsNoSuccess(restarts: Int) throws {
    let stage = try Stage(hosts: "alpha slots=1\nbeta slots=1\n")
    try stage.add("ssh", "#!/bin/sh\n")
    try stage.add(
      "mpirun",
      Subprocess.mpirun(
        of: "5.0.7",
        doing: """
          echo x >>\(stage.path)/starts
          [[ $(wc -l <\(stage.path)/starts) == 1 ]] || exit 0
          echo 'step 1'
          printf 'PRTE has lost communication with a remote daemon.\\nend' >&2
          """))
    let restarting = restarts > 0 ? ["--restarts", "\(restarts)"] : []
    let outcome = try stage.launch(
      ["--hostfile", stage.path + "/hosts"] + restarting + ["--", "train", "--output", "r"])
    #expect(outcome.exitCode == (restarts == 0 ? 69 : 0), "\(outcome.text)")
    // All that it wrote is there, in order.
    let said = ["PRTE has lost communication with a remote daemon.", "end"]
    #expect(outcome.lines.contains("step 1") && outcome.lines.filter(said.contains) == said, "\(outcome.text)")
    #expect(outcome.text.contains("ended with exit code 69; starting again") == (restarts > 0), "\(outcome.text)")
  }

  @Test func anotherMPIsLauncherIsRefused() throws {
    let stage = try Stage()
    try stage.add("mpirun", "#!/bin/sh\necho 'HYDRA build details: Version: 4.0.2'\n")
    let outcome = try stage.launch(["-n", "1", "--", "true"])
    #expect(outcome.exitCode == 2)
    #expect(
      outcome.lines.count == 1 && outcome.text.hasPrefix("launch.sh: \(stage.path)/mpirun is not Open MPI's"),
      "\(outcome)")
  }

  @Test func aMissingProgramIsNamed() throws {
    let result = try launch("train", program: "/no/such/cosface")
    #expect(result.exitCode == 2)
    #expect(result.lines == ["launch.sh: there is no program /no/such/cosface; build it with: swift build -c release"])
  }
}
