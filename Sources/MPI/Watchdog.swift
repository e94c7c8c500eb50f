import Glibc
import Synchronization

/// Ends the job where it would otherwise hang: a thread beside each rank's own, for that one may be stuck inside MPI.
///
/// The watchdogs talk over TCP, not over MPI, which may be what hangs. Every second each rank reports to rank 0 which step
/// it is in, which call of the library it is inside, and when it last got something done. Rank 0 ends the job when a rank
/// has waited in one call for longer than the timeout, and names those that did not arrive; or when a host no longer
/// acknowledges. Before the ranks have found each other, MPI's start included, each watches itself.
final class Watchdog: Sendable {
  private let timeout: Double
  /// How to allow longer waits.
  private let hint: String
  /// A pipe that is written to when the job is over.
  private let wake: (read: CInt, write: CInt)
  private let thread: Mutex<pthread_t?> = Mutex(nil)
  private let isOver = Atomic<Bool>(false)
  private let plan = Mutex<Plan?>(nil)

  /// How the ranks find each other.
  private struct Plan: Sendable {
    let rank: Int
    let token: UInt64
    let addresses: [UInt32]
    let port: UInt16
    /// By rank.
    let hosts: [String]
    let placement: Placement
    /// Rank 0's.
    let listening: WatchSocket?
  }

  /// Watches this process alone until `join`: made before MPI starts. Nil where waits are allowed for ever.
  init?(timeout: Double, hint: String) {
    guard timeout > 0 else { return nil }
    self.timeout = timeout
    self.hint = hint
    var ends: [CInt] = [-1, -1]
    guard pipe(&ends) == 0 else { return nil }
    wake = (ends[0], ends[1])
    var handle = pthread_t()
    let code = pthread_create(
      &handle, nil,
      { context in
        Unmanaged<Watchdog>.fromOpaque(context!).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
    precondition(code == 0, "pthread_create failed with code \(code)")
    thread.withLock { $0 = handle }
  }

  /// Connects the watchdogs of all ranks: collective.
  func join(_ communicator: Communicator, _ placement: Placement) throws(MPIError) {
    let hosts = try communicator.allGather(bytes: Array(placement.hostName.utf8)).map {
      String(decoding: $0, as: UTF8.self)
    }
    let rank = communicator.rank
    let server = rank == 0 ? WatchSocket.listening() : nil
    var numbers: [Int64] = []
    if rank == 0 {
      let port = Int64(server?.port ?? 0)
      numbers = [Int64.random(in: .min ... .max), port] + Self.addresses().map(Int64.init)
    }
    numbers = try communicator.broadcast(numbers)
    // Without a port rank 0 could not listen: then each rank watches alone.
    guard numbers.count > 1, numbers[1] != 0 else { return }
    // On rank 0's own node the loopback is never the wrong network.
    let addresses = placement.node == 0 ? [UInt32(0x7F00_0001)] : numbers[2...].map { UInt32(truncatingIfNeeded: $0) }
    let found = Plan(
      rank: rank, token: UInt64(bitPattern: numbers[0]), addresses: addresses,
      port: UInt16(truncatingIfNeeded: numbers[1]), hosts: hosts, placement: placement, listening: server?.socket)
    plan.withLock { $0 = found }
  }

  /// Stops watching, when MPI is finished.
  func finish() {
    isOver.store(true, ordering: .releasing)
    _ = write(wake.write, [1] as [UInt8], 1)
    if let handle = thread.withLock({ $0.take() }) { pthread_join(handle, nil) }
    close(wake.read)
    close(wake.write)
  }

  private func run() {
    var server: WatchServer?
    var client: WatchClient?
    var (placement, rank): (Placement?, Int?) = (nil, nil)
    while !isOver.load(ordering: .acquiring) {
      var problem: Watch.Problem?
      if let server {
        problem = server.listen(wake: wake.read)
        if problem == nil {
          problem = Watch.verdict(server.standings(own: Activity.glance()), timeout: timeout, hint: hint).map {
            .hang($0)
          }
        }
      } else if let client {
        problem = client.exchange(wake: wake.read, timeout: timeout)
      } else {
        _ = WatchSocket.wait([wake.read], seconds: Watch.interval)
        problem = diagnoseAlone().map { .hang($0) }
        if let plan = plan.withLock({ $0 }) {
          (placement, rank) = (plan.placement, plan.rank)
          if let listening = plan.listening {
            server = WatchServer(listening, token: plan.token, hosts: plan.hosts)
          } else {
            client = WatchClient(
              rank: plan.rank, token: plan.token, addresses: plan.addresses, port: plan.port, host: plan.hosts[0],
              hint: hint)
          }
        }
      }
      if let problem, !isOver.load(ordering: .acquiring) { end(problem, placement, rank) }
    }
    client?.sayFarewell()
  }

  private func diagnoseAlone() -> String? {
    let own = Activity.glance()
    guard let routine = own.routine, own.seconds > timeout else { return nil }
    let bridges = NetworkInterface.all().filter(\.isBridgeOfThisHost).map(\.name)
    let trap = bridges.isEmpty ? "" : " (\(bridges.joined(separator: ", ")) of this host, for one, leads to no other)"
    let waited = "\(Launch.description) has waited in \(routine) for \(Int(own.seconds)) s"
    guard Launch.size > 1 else {
      return "MPI does not start: \(waited): for a device, a file system or a network of this host. \(hint)"
    }
    if let absent = Launch.absentRanks {
      return
        "The ranks do not find each other: \(waited). \(absent) Their processes may be stopped, or the program's files "
        + "are slow to load. \(hint)"
    }
    return
      "The ranks do not find each other: \(waited). Often Open MPI tries a network that does not connect the hosts\(trap): "
      + "name the right one with launch.sh --interface. Or a rank's process is stopped, or its host starved. \(hint)"
  }

  private func end(_ problem: Watch.Problem, _ placement: Placement?, _ rank: Int?) -> Never {
    // Open MPI 4 hangs in an abort while a host does not answer. Its mpirun sees that by itself, a little later than we,
    // and then ends the others: it is given the time.
    let (message, patience) =
      switch problem {
      case .hang(let message): (message, 0)
      // A rank that no longer reaches rank 0 is the one that is cut off: its mpirun may never hear of it.
      case .loss(let message): (message, rank ?? 0 == 0 ? Watch.patience : Watch.patience - 3)
      }
    // Should the abort hang all the same, the alarm ends this process, and mpirun the others.
    signal(SIGALRM, SIG_DFL)
    alarm(UInt32(patience + 15))
    World.abort(
      FailureReport(message: "Error: \(message)", exitCode: Watch.exitCode), rank: nil, at: placement,
      patience: patience)
  }

  /// This host's, those that other hosts are likely to reach first.
  private static func addresses() -> [UInt32] {
    let selection = getenv("OMPI_MCA_btl_tcp_if_include").map { String(cString: $0) } ?? ""
    func order(_ interface: NetworkInterface) -> Int {
      interface.isSelected(by: selection) ? 0 : interface.isBridgeOfThisHost ? 2 : 1
    }
    return NetworkInterface.all().sorted { order($0) < order($1) }.compactMap { NetworkInterface.number($0.address) }
  }
}

extension Communicator {
  /// The numbers of rank `root`; those that other ranks pass do not matter.
  fileprivate func broadcast(_ numbers: [Int64]) throws(MPIError) -> [Int64] {
    let count = Int(try broadcast(Int64(numbers.count)))
    var result = rank == 0 ? numbers : [Int64](repeating: 0, count: count)
    try result.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in try broadcast(buffer) }
    return result
  }
}
