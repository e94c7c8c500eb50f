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
    #expect(result.lines.count == 1, "\(result)")
    #expect(result.lines.first?.hasPrefix("\(Self.missingFolder) (rank \(rank == "first" ? 0 : 2) of 3 on ") == true)
  }

  @Test(arguments: [2, 4]) func theSameErrorOnAllRanksIsToldOnce(ranks: Int) throws {
    let result = try run(["all"], ranks: ranks)
    #expect(result.exitCode == 3)
    #expect(result.lines.count == 1, "\(result)")
    #expect(result.lines.first?.hasPrefix(Self.missingFolder) == true)
  }

  @Test func anErrorOfMPINamesTheRoutine() throws {
    let result = try run(["all", "mpi"], ranks: 2)
    #expect(result.exitCode == 3)
    #expect(result.lines.count == 1, "\(result)")
    #expect(result.lines.first?.contains("MPI_Bcast failed with code 8: MPI_ERR_ROOT") == true)
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

  @Test func aDroppedRequestStopsTheProgram() throws {
    let result = try run(["all", "drop"], ranks: nil)
    #expect(result.exitCode != 0)
    #expect(result.lines.contains { $0.contains("An MPI request was dropped before wait().") }, "\(result)")
  }

  /// Runs the program under mpirun, or by itself if `ranks` is nil.
  func run(_ arguments: [String], ranks: Int?, environment: [String: String] = [:]) throws -> Subprocess.Outcome {
    let program = Subprocess.products.appendingPathComponent("failing-program").path
    let mpirun = ranks.map { ["mpirun", "--oversubscribe", "--timeout", "60", "-n", "\($0)"] } ?? []
    return try Subprocess.run(mpirun + [program] + arguments, environment: environment)
  }
}
