import Foundation
import MPI
import TestSupport
import Testing

/// What a user sees when ranks fail, from `failing-program` under mpirun and without it.
@Suite(.serialized) struct FailureTests {
  static let missingFolder = "Error: there is no folder faces-train"

  @Test func aProgramWithoutMpirunFailsWithItsMessageAlone() throws {
    let result = try run(["all"], ranks: nil)
    #expect(result.exitCode == 3)
    #expect(result.lines == [Self.missingFolder])
  }

  @Test func noFailureIsQuiet() throws {
    let alone = try run(["none"], ranks: nil)
    #expect(alone.exitCode == 0 && alone.lines.isEmpty, "\(alone)")
    let together = try run(["none"], ranks: 3)
    #expect(together.exitCode == 0 && together.lines.isEmpty, "\(together)")
  }

  @Test(arguments: ["first", "last"], ["throw", "late"])
  func anErrorOnOneRankEndsAll(rank: String, mode: String) throws {
    let result = try run([rank, mode], ranks: 3)
    #expect(result.exitCode == 3)
    #expect(result.ownLines.count == 1, "\(result)")
    #expect(result.ownLines.first?.hasPrefix("\(Self.missingFolder) (rank \(rank == "first" ? 0 : 2) of 3 on ") == true)
  }

  @Test(arguments: [2, 4]) func theSameErrorOnAllRanksIsToldOnce(ranks: Int) throws {
    let result = try run(["all"], ranks: ranks)
    #expect(result.exitCode == 3)
    #expect(result.ownLines.count == 1, "\(result)")
    #expect(result.ownLines.first?.hasPrefix(Self.missingFolder) == true)
  }

  @Test func anErrorOfMPINamesTheRoutine() throws {
    let result = try run(["all", "mpi"], ranks: 2)
    #expect(result.exitCode == 3)
    #expect(result.ownLines.count == 1, "\(result)")
    #expect(result.ownLines.first?.contains("MPI_Bcast failed with code 8: MPI_ERR_ROOT") == true)
  }

  /// A rank that comes late, is stopped, or goes elsewhere: the watchdog names it, and ends all.
  @Test(arguments: [
    ("busy", "rank 2 on ", "busy outside of MPI in step 7"), ("stop", "rank 2 on ", ": "),
    ("other", "All ranks wait for one another", "in MPI_Comm_split in step 7"),
  ])
  func aHangIsEndedByTheWatchdog(mode: String, who: String, what: String) throws {
    let result = try run(["last", mode], ranks: 3, environment: ["COLLECTIVE_TIMEOUT": "3"])
    #expect(result.exitCode == Watch.exitCode, "\(result)")
    #expect(result.lines.filter { $0.hasPrefix("Error: ") }.count == 1, "\(result)")
    #expect(result.text.contains("has waited in MPI_Barrier in step 7 for "), "\(result)")
    #expect(result.text.contains(who) && result.text.contains(what), "\(result)")
    #expect(mode == "other" || result.lines.filter { $0.hasPrefix("  rank ") }.count == 1, "\(result)")
  }

  /// Six seconds late, of which three are granted: it gets something done all the while.
  @Test func aRankThatGetsSomethingDoneIsWaitedFor() throws {
    let result = try run(["first", "working"], ranks: 3, environment: ["COLLECTIVE_TIMEOUT": "3"])
    #expect(result.exitCode == 0 && result.lines.isEmpty, "\(result)")
  }

  @Test func aRankThatGetsNothingDoneIsNamedWithItsWork() throws {
    let result = try run(["first", "idle"], ranks: 3, environment: ["COLLECTIVE_TIMEOUT": "3"])
    #expect(result.exitCode == Watch.exitCode, "\(result)")
    #expect(result.lines.count { $0.hasPrefix("Error: ") } == 1, "\(result)")
    #expect(result.text.contains("  rank 0 on ") && result.text.contains("busy with writing a long file in step 7"))
  }

  /// A rank that never comes to MPI's start: who waits there says so, and names it.
  @Test func aHangInTheStartOfMPIIsEnded() throws {
    let result = try run(["none", "unborn"], ranks: 2, environment: ["COLLECTIVE_TIMEOUT": "3"])
    #expect(result.exitCode == Watch.exitCode, "\(result)")
    #expect(result.lines.count { $0.hasPrefix("Error: ") } == 1, "\(result)")
    #expect(result.text.contains("has waited in MPI_Init_thread for"), "\(result)")
    #expect(result.text.contains("Of the 2 ranks of this host 1 did not come as far as this: rank 1."), "\(result)")
  }

  /// A program that uses the library, of whose ranks one fails, or all: they end together, with one message.
  @Test(arguments: ["first", "last", "all"], ["train-data", "train-exit"])
  func atTheLibraryARankThatFailsEndsAll(ranks: String, mode: String) throws {
    let faces = try FaceFolder(people: 3, images: 3, side: 32)
    let output = faces.path + "-run"
    defer { try? FileManager.default.removeItem(atPath: output) }
    let start = ContinuousClock.now
    let result = try run([ranks, mode, faces.path, output], ranks: 3)
    #expect(ContinuousClock.now - start < .seconds(35), "ended by the watchdog, or by mpirun")
    #expect(result.exitCode == 1, "\(result)")
    #expect(result.lines.count { $0.hasPrefix("Error: ") } == 1 && !result.text.contains("Fatal"), "\(result)")
    let words = mode == "train-data" ? "-absent" : "ended with exit code 0 in the midst of"
    #expect(result.text.contains(words) && !result.text.contains("trained"), "\(result)")
  }

  /// Its own exit code is that of the job.
  @Test func atTheLibraryAProgramThatFailsAfterTrainingEndsAll() throws {
    let faces = try FaceFolder(people: 3, images: 3, side: 32)
    let output = faces.path + "-run"
    defer { try? FileManager.default.removeItem(atPath: output) }
    let result = try run(["last", "train-late", faces.path, output], ranks: 2)
    #expect(result.exitCode == 7 && !result.text.contains("Error"), "\(result)")
  }

  /// Two runs in one program: the signals are its own before, between and after them.
  @Test func theLibraryGivesSignalsBack() throws {
    let faces = try FaceFolder(people: 3, images: 3, side: 32)
    let output = faces.path + "-run"
    defer { for path in [output, output + "-second"] { try? FileManager.default.removeItem(atPath: path) } }
    let result = try run(["all", "train-signals", faces.path, output], ranks: nil)
    let expected = ["before 1", "first stopped", "between 2", "second complete", "after 3"]
    let unchanged = Array(repeating: "as before true", count: 3)
    #expect(result.exitCode == 0 && result.lines == expected + unchanged, "\(result)")
  }

  /// Alone it throws: the program decides.
  @Test func aloneTheLibraryThrows() throws {
    let faces = try FaceFolder(people: 3, images: 3, side: 32)
    let result = try run(["all", "train-data", faces.path, faces.path + "-run"], ranks: nil)
    #expect(result.exitCode == 2 && result.lines.count == 1, "\(result)")
    #expect(result.text.hasPrefix("thrown: ") && result.text.contains("-absent"), "\(result)")
  }

  @Test func aDroppedMessageStopsTheProgram() throws {
    let result = try run(["all", "drop"], ranks: nil)
    #expect(result.exitCode != 0)
    #expect(result.text.contains("A group of messages was dropped before it was finished."), "\(result)")
  }

  /// Runs the program under mpirun, or by itself if `ranks` is nil.
  func run(_ arguments: [String], ranks: Int?, environment: [String: String] = [:]) throws -> Subprocess.Outcome {
    let program = Subprocess.products.appendingPathComponent("failing-program").path
    let mpirun = ranks.map { ["mpirun", "--oversubscribe", "--timeout", "60", "-n", "\($0)"] } ?? []
    return try Subprocess.run(mpirun + [program] + arguments, environment: environment)
  }
}
