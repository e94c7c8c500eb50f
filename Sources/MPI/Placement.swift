import COpenMPI

/// Where a rank runs: its node, and its place among the ranks there.
package struct Placement: Sendable, Equatable {
  /// The name of the node, as the MPI library tells it: the host's.
  package let hostName: String
  /// The number of this node, 0..<nodeCount, in the order of the nodes' lowest ranks.
  package let node: Int
  /// Nodes that the communicator's ranks run on.
  package let nodeCount: Int
  /// This rank's number on its node, 0..<localSize.
  package let localRank: Int
  /// Ranks on this node.
  package let localSize: Int
}

extension Communicator {
  /// Where this rank runs. Collective: ask once and keep the answer.
  ///
  /// The corresponding C functions are `MPI_Comm_split_type` and `MPI_Get_processor_name`.
  package func placement() throws(MPIError) -> Placement {
    let local = try splitSharedMemory()
    let leaders = try allGather(local.rank == 0 ? 1 : 0)
    let node = try local.broadcast(leaders[..<rank].reduce(0, +))
    let placement = Placement(
      hostName: try Self.processorName(), node: node, nodeCount: leaders.reduce(0, +),
      localRank: local.rank, localSize: local.size)
    try local.free()
    return placement
  }

  /// The corresponding C function is `MPI_Get_processor_name`.
  package static func processorName() throws(MPIError) -> String {
    var name = [CChar](repeating: 0, count: Int(MPI_MAX_PROCESSOR_NAME) + 1)
    var length: CInt = 0
    try check("MPI_Get_processor_name", MPI_Get_processor_name(&name, &length))
    return name.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  }
}
