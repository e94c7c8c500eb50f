import Files
import Foundation
package import MPI

/// A folder that all ranks must see, on whatever host they run.
package enum SharedFolder {
  /// Ranks that see another folder under the same path, or none.
  package struct Failure: Error, Equatable, CustomStringConvertible {
    package let path: String
    /// Rank and host.
    package let missing: [String]

    package var description: String {
      let ranks =
        missing.prefix(6).joined(separator: ", ") + (missing.count > 6 ? " and \(missing.count - 6) more" : "")
      return
        "The run's folder '\(path.printableName)' that rank 0 writes to is not what \(ranks) see there. With --classifier sharded"
        + " every rank writes its part of a checkpoint into it: give a folder on a file system that all hosts share,"
        + " or use --classifier replicated."
    }
  }

  /// Rank 0 puts a file there, and all look for it. Every rank calls it; all throw the same `Failure`.
  package static func check(_ path: String, _ communicator: Communicator) throws {
    guard communicator.size > 1 else { return }
    let name = ".shared-\(getpid())-\(UInt32.random(in: 0...(.max)))"
    let bytes = try communicator.broadcast(bytes: communicator.rank == 0 ? Array(name.utf8) : [])
    let token = FilePath.join(path, String(decoding: bytes, as: UTF8.self))
    if communicator.rank == 0 { try AtomicFile.write(Data(), to: token) }
    try communicator.barrier()
    let host = try Communicator.processorName()
    let answer = isThere(token, in: path) ? "" : "rank \(communicator.rank) (\(host))"
    let missing = try communicator.allGather(bytes: Array(answer.utf8)).filter { !$0.isEmpty }
    if communicator.rank == 0 { unlink(token) }
    if !missing.isEmpty {
      throw Failure(path: path, missing: missing.map { String(decoding: $0, as: UTF8.self) })
    }
  }

  /// A network file system may show a new file a little later.
  private static func isThere(_ file: String, in folder: String) -> Bool {
    for attempt in 0..<20 {
      if attempt > 0 { usleep(100_000) }
      // Reading the folder makes NFS look again.
      _ = try? FileManager.default.contentsOfDirectory(atPath: folder)
      if access(file, R_OK) == 0 { return true }
    }
    return false
  }
}
