import Files
import Foundation
import MPI

/// Fails as the arguments say, on the ranks `all`, `first`, `last` or `none`: `failing-program RANKS [MODE]`.
///
/// MODE is `throw` (default), `mpi` (an error that MPI reports), `late` (with a message under way), `drop`
/// (a message that nobody waits for), `busy` (comes an hour late to a collective), `stop` (stops itself), `other`
/// (goes to a collective that the others do not call),
/// `unborn` (stops itself before MPI starts), `working` (comes six seconds late to a collective, and gets something done
/// all the while), `idle` (the same, but gets nothing done), or one of `FailingTraining`'s.
///
/// COLLECTIVE_TIMEOUT: seconds that the watchdog grants.
@main
struct FailingProgram {
  struct MissingFolder: Error, CustomStringConvertible {
    var description: String { "there is no folder faces-train" }
  }

  static func main() {
    let ranks = CommandLine.arguments.dropFirst().first ?? "none"
    let mode = CommandLine.arguments.dropFirst(2).first ?? "throw"
    let timeout = ProcessInfo.processInfo.environment["COLLECTIVE_TIMEOUT"].flatMap { Double($0) } ?? 300
    if mode.hasPrefix("train-") {
      do {
        try FailingTraining.run(ranks, mode, CommandLine.arguments[3], CommandLine.arguments[4])
      } catch {
        print("thrown: \(error)")
        exit(2)
      }
      return
    }
    if mode == "unborn", Launch.rank == Launch.size - 1 { raise(SIGSTOP) }
    World.run(collectiveTimeout: timeout, reporting: { FailureReport(message: "Error: \($0)", exitCode: 3) }) { world in
      let fails: Bool =
        switch ranks {
        case "all": true
        case "first": world.rank == 0
        case "last": world.rank == world.size - 1
        default: false
        }
      World.begin(step: 7)
      guard fails else { return try world.barrier() }
      switch mode {
      case "mpi": _ = try world.broadcast(1, from: world.size)
      case "late":
        let values = UnsafeMutableBufferPointer<Float>.allocate(capacity: 1 << 24)
        values.initialize(repeating: 1)
        let group = MessageGroup(world, capacity: 1)
        try group.receive(values, from: (world.rank + 1) % world.size, tag: 0)
        group.abandon()
        values.deallocate()
        throw MissingFolder()
      case "drop":
        let value = UnsafeMutableBufferPointer<Float>.allocate(capacity: 1)
        value.initialize(repeating: 1)
        try MessageGroup(world, capacity: 1).receive(value, from: world.rank, tag: 0)
      case "busy":
        Thread.sleep(forTimeInterval: 3600)
        try world.barrier()
      case "working", "idle":
        World.during("writing a long file") {
          for _ in 0..<(mode == "idle" ? 36_000 : 60) {
            usleep(100_000)
            if mode == "working" { Heartbeat.beat() }
          }
        }
        try world.barrier()
      case "unborn": try world.barrier()
      case "stop":
        raise(SIGSTOP)
        try world.barrier()
      case "other": _ = try world.split(color: 0)
      default: throw MissingFolder()
      }
    }
  }
}
