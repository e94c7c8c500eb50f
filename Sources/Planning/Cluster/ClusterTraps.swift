package import Training

/// What makes runs slow, or hang, although nothing is wrong with the program: found in the ranks' reports.
package enum ClusterTraps {
  /// One sentence for each, with hosts, values and what to do.
  package static func find(_ ranks: [RankReport]) -> [String] {
    let hosts = Dictionary(grouping: ranks, by: \.node).sorted { $0.key < $1.key }.map(\.value)
    return networks(hosts) + hosts.flatMap(cores) + pools(ranks) + processors(hosts) + systems(hosts) + kernels(ranks)
      + headers(ranks[0].program.libraries) + collectives(ranks)
  }

  private static func collectives(_ ranks: [RankReport]) -> [String] {
    let choosers = ranks.filter { $0.parameters["coll_han_priority"].map { $0 != "0" } ?? false }
    guard let first = choosers.first else { return [] }
    return [
      "coll/han is on (coll_han_priority \(first.parameters["coll_han_priority"]!) on \(some(Set(choosers.map(\.host)).sorted()))): it sums within "
        + "hosts first, so that results depend on how the ranks lie on hosts. Leave that parameter out: cosface sets it to 0."
    ]
  }

  private static func networks(_ hosts: [[RankReport]]) -> [String] {
    guard hosts.count > 1 else { return [] }
    var traps: [String] = []
    let leaders = hosts.compactMap(\.first)
    let bridges = leaders.flatMap { leader in
      leader.interfaces.filter { $0.isBridgeOfThisHost && !leader.choosesInterface }.map {
        "\($0.name) on \(leader.host)"
      }
    }
    if !bridges.isEmpty {
      traps.append(
        "\(some(bridges)) is up and leads to no other host, and no --interface was given: Open MPI may try it, and hang."
      )
    }
    let owners = Dictionary(
      grouping: leaders.flatMap { leader in leader.interfaces.map { ($0.address, leader) } }, by: \.0)
    for (address, shared) in owners.sorted(by: { $0.key < $1.key }) where Set(shared.map(\.1.node)).count > 1 {
      let free = shared.filter { !$0.1.choosesInterface }
      guard !free.isEmpty else { continue }
      traps.append(
        "\(some(shared.map(\.1.host))) have the same address \(address): name the network between the hosts with --interface."
      )
    }
    // 4's mpirun tells its ranks what it was given.
    if leaders[0].parameters["ess_base_jobid"] != nil, leaders[0].parameters["oob_tcp_keepalive_time"] == nil {
      traps.append(
        "mpirun will take many minutes to see that a host is gone: start with launch.sh, or give mpirun --mca oob_tcp_keepalive_time 8."
      )
    }
    return traps
  }

  private static func cores(_ ranks: [RankReport]) -> [String] {
    var traps: [String] = []
    let host = ranks[0].host
    for rank in ranks where rank.isBound && rank.threads > rank.cores.count {
      traps.append(
        "rank \(rank.rank) on \(host) has \(rank.threads) threads but is bound to \(count(rank.cores.count)) "
          + "(\(RankReport.text(rank.cores))): give launch.sh --threads.")
    }
    let bound = ranks.filter(\.isBound)
    var owner: [Int: Int] = [:]
    var clashes: Set<[Int]> = []
    for rank in bound {
      for core in rank.cores {
        if let other = owner[core], clashes.insert([other, rank.rank]).inserted {
          traps.append(
            "ranks \(other) and \(rank.rank) on \(host) are both bound to core \(core): each gets half of it.")
        }
        owner[core] = rank.rank
      }
    }
    let (threads, available) = (ranks.map(\.threads).reduce(0, +), Set(ranks.flatMap(\.cores)).count)
    if traps.isEmpty, available > 0, threads > available {
      traps.append(
        "\(host) runs \(threads) threads (\(ranks.count) ranks) on \(count(available)): they take turns. Use fewer ranks or threads."
      )
    }
    return traps
  }

  private static func pools(_ ranks: [RankReport]) -> [String] {
    Dictionary(grouping: ranks.filter { $0.secondPool != nil && $0.threads > 1 }, by: { $0.secondPool! })
      .map { "\($0.key) (on \(some(Set($0.value.map(\.host)).sorted())))." }.sorted()
  }

  private static func processors(_ hosts: [[RankReport]]) -> [String] {
    guard let list = kinds(hosts.compactMap(\.first), by: \.processor) else { return [] }
    return [
      "the hosts have different processors: \(list). All wait for the slowest, and results may differ "
        + "in the last bits: --verify-replicas tells."
    ]
  }

  private static func systems(_ hosts: [[RankReport]]) -> [String] {
    guard let list = kinds(hosts.compactMap(\.first), by: \.system) else { return [] }
    return [
      "the hosts have different systems: \(list). Their mathematical functions may differ in the last bits: "
        + "--verify-replicas tells; one container image on all hosts makes them alike."
    ]
  }

  private static func kernels(_ ranks: [RankReport]) -> [String] {
    guard let list = kinds(ranks, by: \.kernels) else { return [] }
    return [
      "the ranks compute with different kernels: \(list). Losses differ in the last digits from those "
        + "of one kind. launch.sh gives ONEDNN_... and OPENBLAS_... to all ranks; ONEDNN_MAX_CPU_ISA=AVX2 makes processors alike."
    ]
  }

  /// Libraries of another release than the headers that the program was compiled with.
  package static func headers(_ libraries: [LibraryVersion]) -> [String] {
    libraries.filter(\.differsFromHeaders).map {
      "the program was compiled with the headers of \($0.name) \($0.headers!), and \($0.loaded) is loaded: build it on the "
        + "system that it runs on, or see where LD_LIBRARY_PATH leads."
    }
  }

  /// "A (node1); B (node2, node3)"; nil where all have the same.
  private static func kinds(_ ranks: [RankReport], by value: (RankReport) -> String) -> String? {
    let kinds = Dictionary(grouping: ranks, by: value)
    guard kinds.count > 1 else { return nil }
    return kinds.sorted { $0.key < $1.key }.map { "\($0.key) (\(some(Set($0.value.map(\.host)).sorted())))" }
      .joined(separator: "; ")
  }

  private static func count(_ cores: Int) -> String { cores == 1 ? "1 core" : "\(cores) cores" }

  private static func some(_ names: [String]) -> String {
    names.prefix(6).joined(separator: ", ") + (names.count > 6 ? " and \(names.count - 6) more" : "")
  }
}
