import Distributed
import MPI
import Planning
import Testing
import Training

/// What `cosface check` makes of the ranks' reports.
@Suite struct ClusterTrapsTests {
  private func report(
    _ rank: Int, node: Int = 0, cores: [Int] = [0, 1], threads: Int = 1, interfaces: [NetworkInterface] = [],
    parameters: [String: String] = [:], processor: String = "A", system: String = "Debian 12",
    kernels: String = "oneDNN AVX2",
    libraries: [LibraryVersion] = []
  ) -> RankReport {
    RankReport(
      rank: rank, host: "node\(node + 1)", node: node, processor: processor, system: system, hostCores: 4, cores: cores,
      threads: threads, kernels: kernels, availableMemory: 1 << 30,
      program: .init(version: "v", digest: "d", libraries: libraries, files: [:]), interfaces: interfaces,
      parameters: parameters, secondPool: nil)
  }

  private func interface(_ name: String, _ address: String) -> NetworkInterface {
    NetworkInterface(name: name, address: address, prefixLength: 24)
  }

  @Test func nothingIsSuspicious() {
    let net = { (host: Int) in [interface("eth0", "10.0.0.\(host)")] }
    #expect(
      ClusterTraps.find([
        report(0, cores: [0], interfaces: net(1)), report(1, cores: [1], interfaces: net(1)),
        report(2, node: 1, cores: [0], interfaces: net(2)),
      ]).isEmpty)
  }

  @Test func bridgesBetweenSeveralHosts() {
    let interfaces = [interface("eth0", "10.0.0.1"), interface("docker0", "172.17.0.1")]
    let other = [interface("eth0", "10.0.0.2"), interface("docker0", "172.17.0.1")]
    let traps = ClusterTraps.find([report(0, interfaces: interfaces), report(1, node: 1, interfaces: other)])
    #expect(traps.count == 2, "\(traps)")
    #expect(traps[0].contains("docker0 on node1, docker0 on node2") && traps[0].contains("--interface"))
    #expect(traps[1].contains("node1, node2 have the same address 172.17.0.1"))
    // On one host it does no harm, nor where the network was named.
    #expect(ClusterTraps.find([report(0, interfaces: interfaces)]).isEmpty)
    #expect(
      ClusterTraps.find([
        report(0, interfaces: interfaces, parameters: ["btl_tcp_if_include": "eth0"]),
        report(1, node: 1, interfaces: other, parameters: ["btl_tcp_if_exclude": "docker0"]),
      ]).isEmpty)
  }

  @Test func sumsWithinHostsFirst() {
    let traps = ClusterTraps.find([
      report(0, cores: [0], parameters: ["coll_han_priority": "0"]),
      report(1, node: 1, cores: [0], parameters: ["coll_han_priority": "35"]),
    ])
    #expect(traps.count == 1 && traps[0].hasPrefix("coll/han is on (coll_han_priority 35 on node2)"), "\(traps)")
  }

  /// mpirun of Open MPI 4 sets the first for its ranks, and hands on what it was given.
  @Test(arguments: [
    (["ess_base_jobid": "7"], 1), (["ess_base_jobid": "7", "oob_tcp_keepalive_time": "8"], 0), ([:], 0),
  ])
  func aLostHostThatIsSeenLate(parameters: [String: String], count: Int) {
    let ranks = [report(0, cores: [0], parameters: parameters), report(1, node: 1, cores: [0], parameters: parameters)]
    #expect(ClusterTraps.find(ranks).count == count)
    // On one host there is none to lose.
    #expect(ClusterTraps.find([report(0, parameters: parameters)]).isEmpty)
  }

  @Test func ranksThatShareCores() {
    #expect(
      ClusterTraps.find([report(0, cores: [1]), report(1, cores: [1])])
        == ["ranks 0 and 1 on node1 are both bound to core 1: each gets half of it."])
    let many = ClusterTraps.find([report(0, cores: [0], threads: 4)])
    #expect(many.count == 1 && many[0].contains("rank 0 on node1 has 4 threads but is bound to 1 core (0)"))
    let unbound = ClusterTraps.find((0..<3).map { report($0, cores: [0, 1, 2, 3], threads: 2) })
    #expect(unbound.count == 1 && unbound[0].hasPrefix("node1 runs 6 threads (3 ranks) on 4 cores"))
  }

  @Test func differentProcessors() {
    let traps = ClusterTraps.find([report(0), report(1, node: 1, processor: "B")])
    #expect(traps.count == 1 && traps[0].contains("A (node1); B (node2)"))
  }

  @Test func differentKernels() {
    let traps = ClusterTraps.find([
      report(0), report(1, node: 1, kernels: "oneDNN AVX-512"), report(2, node: 1, cores: [2]),
    ])
    #expect(traps.count == 1 && traps[0].contains("oneDNN AVX-512 (node2); oneDNN AVX2 (node1, node2)"), "\(traps)")
  }

  @Test func differentSystems() {
    let traps = ClusterTraps.find([report(0), report(1, node: 1, system: "Debian 13"), report(2, node: 1, cores: [2])])
    #expect(
      traps.count == 1 && traps[0].contains("different systems: Debian 12 (node1); Debian 13 (node2)"), "\(traps)")
  }

  /// Bug fixes keep what headers declare.
  @Test(arguments: [("3.7.3", 0), ("3.1.0", 1), ("2.7.2", 1), ("3.7", 0)])
  func headersOfAnotherRelease(loaded: String, count: Int) {
    let traps = ClusterTraps.find([
      report(0, libraries: [LibraryVersion(name: "oneDNN", loaded: loaded, headers: "3.7.2")])
    ])
    #expect(traps.count == count, "\(traps)")
    #expect(traps.allSatisfy { $0.contains("headers of oneDNN 3.7.2, and \(loaded) is loaded") }, "\(traps)")
  }

  /// Made-up ranks: each kind of difference has a row of its own, with the ranks and hosts that have it, and what to do.
  @Test func differentLibrariesAreTold() {
    func identity(_ oneDNN: String = "3.7.2", mpi: String = "5.0.7", gomp: String = "libgomp.so.1.0.0")
      -> ProgramIdentity
    {
      ProgramIdentity(
        version: "cosface 1", digest: "d",
        libraries: [("Open MPI", mpi), ("oneDNN", oneDNN)].map { .init(name: $0, loaded: $1, headers: nil) },
        files: ["libgomp": gomp])
    }
    func rows(_ ranks: ProgramIdentity...) -> [RankAgreement.Failure.Row] {
      RankAgreement.differences(ranks.map(\.named))
    }
    func text(_ rows: [RankAgreement.Failure.Row]) -> String {
      "\(RankAgreement.Failure(rows: rows, hosts: ["node1", "node1", "node2"], advice: "Do this."))"
    }
    #expect(rows(identity(), identity(), identity()).isEmpty)
    #expect(
      text(rows(identity(), identity(), identity("3.1.0"))) == """
        The ranks do not agree; all must be given the same:
          oneDNN: '3.7.2' on rank 0, 1 (node1), '3.1.0' on rank 2 (node2)
        Do this.
        """)
    #expect(rows(identity(), identity(mpi: "4.1.6"), identity()).count == 1)
    #expect(rows(identity(), identity(gomp: "libgomp.so.1.0.1"), identity("2.6")).count == 2)
    var bare = identity()
    bare.libraries.removeLast()
    #expect(text(rows(identity(), identity(), bare)).contains("'nothing' on rank 2 (node2)"))
    // Headers are of one program file: what is loaded counts.
    var compiled = identity()
    compiled.libraries = compiled.libraries.map { .init(name: $0.name, loaded: $0.loaded, headers: "1.0") }
    #expect(rows(identity(), compiled).isEmpty)
  }

  @Test func twoPoolsOfThreads() {
    let maps = { (files: [String]) in files.map { "7f00-7f01 r-xp 00000000 08:01 12 \($0)" }.joined(separator: "\n") }
    let files = ["openblas-openmp/libopenblasp-r0.3.21.so", "libgomp.so.1.0.0", "libc.so.6"]
    let good = LoadedLibraries(maps: maps(files.map { "/usr/lib/" + $0 }))
    #expect(
      good.secondPool == nil && good.names == ["libgomp": "libgomp.so.1.0.0", "libopenblas": "libopenblasp-r0.3.21.so"])
    let pthread = LoadedLibraries(maps: maps(["/usr/lib/openblas-pthread/libopenblasp-r0.3.21.so"]))
    #expect(pthread.secondPool?.contains("libopenblas-openmp-dev") == true)
    let two = LoadedLibraries(maps: maps(["/opt/libomp.so.5", "/usr/lib/libgomp.so.1.0.0"]))
    #expect(two.secondPool?.contains("libomp.so.5 and libgomp.so.1.0.0") == true)
  }

  /// This program's own.
  @Test func theLibrariesOfThisProcess() {
    let names = LoadedLibraries.current().names
    for library in ["libmpi.so", "libopenblas", "libdnnl", "libgomp", "libjpeg.so"] {
      #expect(names[library]?.hasPrefix(library) == true, "\(names)")
    }
    #expect(LibraryVersion.all.map(\.name) == ["Open MPI", "oneDNN", "OpenBLAS", "libjpeg"])
    for library in LibraryVersion.all {
      #expect(library.loaded.wholeMatch(of: /[0-9]+(\.[0-9]+)+.*/) != nil, "\(library)")
      #expect(library.headers?.wholeMatch(of: /[0-9]+(\.[0-9]+)+/) != nil || library.name == "libjpeg", "\(library)")
    }
  }

  @Test func listsOfCores() {
    #expect(RankReport.list("0-2,8,10-11") == [0, 1, 2, 8, 10, 11])
    #expect(RankReport.text([0, 1, 2, 8, 10, 11]) == "0-2,8,10-11")
    #expect(RankReport.list("").isEmpty && RankReport.text([]) == "" && RankReport.list("3-1").isEmpty)
  }

  @Test(arguments: 2...9) func everyPairOfHostsIsMeasuredOnce(count: Int) {
    let rounds = LinkProbe.rounds(count)
    #expect(rounds.allSatisfy { round in Set(round.flatMap { [$0.0, $0.1] }).count == 2 * round.count })
    let pairs = rounds.flatMap { $0 }.map { [$0.0, $0.1] }
    #expect(Set(pairs).count == pairs.count && pairs.count == count * (count - 1) / 2)
  }

  @Test func manyHostsAreMeasuredInFewRounds() {
    #expect(LinkProbe.rounds(100).count == LinkProbe.maximumRounds)
    #expect(LinkProbe.rounds(1).isEmpty)
  }

  @Test func slowLinksAreNamed() {
    let links = [("a", "b", 1e9), ("a", "c", 1.1e9), ("b", "c", 1e8)].map {
      LinkProbe.Link(from: $0.0, to: $0.1, latencySeconds: 1e-5, bytesPerSecond: $0.2)
    }
    let found = ClusterCheck.slow(links)
    #expect(found.count == 1 && found[0].contains("b - c carries 0.100 GB/s where most carry 1.000"))
  }

  @Test func theInterfacesThatCarried() {
    let text = { (eth: Int, ib: Int) in
      """
      Inter-|   Receive                                                |  Transmit
       face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
          lo: 100 1 0 0 0 0 0 0 100 1 0 0 0 0 0 0
        eth0: 900 1 0 0 0 0 0 0 \(eth) 1 0 0 0 0 0 0
         ib0: 900 1 0 0 0 0 0 0 \(ib) 1 0 0 0 0 0 0
      """
    }
    let before = NetworkCounters(text(1000, 1000))
    #expect(before.sent == ["lo": 100, "eth0": 1000, "ib0": 1000])
    #expect(before.carriers(of: 10_000, until: NetworkCounters(text(1400, 11_000))) == ["ib0"])
    #expect(before.carriers(of: 10_000, until: NetworkCounters(text(1600, 11_000))) == ["ib0", "eth0"])
    #expect(before.carriers(of: 0, until: NetworkCounters(text(1600, 11_000))).isEmpty)
  }
}
