import MPI

/// Fails as the arguments say, on the ranks `all`, `first`, `last` or `none`: `failing-program RANKS [MODE]`.
///
/// MODE is `throw` (default), `mpi` (an error that MPI reports), `late` (with a reduction under way), or `drop`
/// (a request that nobody waits for).
@main
struct FailingProgram {
  struct MissingFolder: Error, CustomStringConvertible {
    var description: String { "there is no folder faces-train" }
  }

  static func main() {
    let ranks = CommandLine.arguments.dropFirst().first ?? "none"
    let mode = CommandLine.arguments.dropFirst(2).first ?? "throw"
    World.run(reporting: { FailureReport(message: "Error: \($0)", exitCode: 3) }) { world in
      let fails: Bool =
        switch ranks {
        case "all": true
        case "first": world.rank == 0
        case "last": world.rank == world.size - 1
        default: false
        }
      guard fails else { return try world.barrier() }
      switch mode {
      case "mpi": _ = try world.broadcast(1, from: world.size)
      case "late":
        let values = UnsafeMutableBufferPointer<Float>.allocate(capacity: 1 << 24)
        values.initialize(repeating: 1)
        let request = try world.startAllReduce(values)
        request.abandon()
        values.deallocate()
        throw MissingFolder()
      case "drop":
        let value = UnsafeMutableBufferPointer<Float>.allocate(capacity: 1)
        value.initialize(repeating: 1)
        _ = try world.startAllReduce(value)
      default: throw MissingFolder()
      }
    }
  }
}
