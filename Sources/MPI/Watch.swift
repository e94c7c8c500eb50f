/// What the watchdogs of the ranks tell each other, and what follows from it.
package enum Watch {
  /// Seconds between two looks, and between two reports of a rank.
  static let interval = 1
  /// A rank that reports nothing for so long is stopped, or too busy to run at all.
  package static let silence = 10.0
  /// A host that acknowledges nothing for so long is gone, or its link is.
  static let lostAfter = 12
  /// Seconds after the message of a lost host in which mpirun may end the job by itself.
  static let patience = 12
  /// Exit code of a job that lost a rank or a host, or that hung: starting again can help.
  /// It is EX_UNAVAILABLE of <sysexits.h>.
  package static let exitCode: Int32 = 69

  /// What ends the job, with the message for people.
  package enum Problem: Equatable, Sendable {
    /// Ranks that do not arrive; all hosts answer.
    case hang(String)
    /// A host or a rank is gone.
    case loss(String)
  }

  /// A rank as rank 0 last heard of it.
  package struct Standing {
    package var rank: Int
    package var host: String
    package var glance: Activity.Glance
    /// Since its last report; nil if it never reported.
    package var silentFor: Double?

    package init(rank: Int, host: String, glance: Activity.Glance, silentFor: Double?) {
      self.rank = rank
      self.host = host
      self.glance = glance
      self.silentFor = silentFor
    }

    var name: String { "rank \(rank) on \(host)" }

    /// Whether it got something done in the last `seconds`.
    func hasAdvanced(within seconds: Double) -> Bool { glance.idleSeconds + (silentFor ?? 0) < seconds }

    /// Blocked in a call for longer than `seconds`, by its own fresh report.
    func isBlocked(for seconds: Double) -> Bool {
      glance.routine != nil && glance.seconds >= seconds && (silentFor ?? .infinity) < Watch.silence
    }
  }

  /// How to allow longer waits, unless the program has another way.
  package static let hint = "Longer waits are allowed by --collective-timeout."

  /// The message for ranks of which one has waited longer than `timeout` seconds; nil if none has, or if it waits for
  /// one that gets something done.
  package static func verdict(_ ranks: [Standing], timeout: Double, hint: String = hint) -> String? {
    guard let waiting = ranks.first(where: { $0.isBlocked(for: timeout) }) else { return nil }
    // Who has waited half as long, anywhere, waits too. The others are what it waits for.
    let missing = ranks.filter { !$0.isBlocked(for: timeout / 2) }
    guard !missing.contains(where: { $0.hasAdvanced(within: timeout) }) else { return nil }
    let place = waiting.glance.step.map { " in step \($0)" } ?? ""
    let since = "\(Int(waiting.glance.seconds)) s"
    let head = "\(waiting.name) has waited in \(waiting.glance.routine ?? "")\(place) for \(since)"
    guard !missing.isEmpty else {
      let places = ranks.prefix(8).map { "  \($0.name): \(describe($0))" }
      return
        "All ranks wait for one another: \(head). The network between them no longer carries anything, or they are "
        + "in different operations. \(hint)\n" + places.joined(separator: "\n")
    }
    let lines = missing.prefix(8).map { "  \($0.name): \(describe($0))" }
    let more = missing.count > 8 ? "\n  and \(missing.count - 8) more" : ""
    return "A collective operation hangs: \(head). \(hint) These ranks did not arrive:\n"
      + lines.joined(separator: "\n") + more
  }

  private static func describe(_ rank: Standing) -> String {
    let step = rank.glance.step.map { " in step \($0)" } ?? " before the first step"
    guard let silent = rank.silentFor else {
      return "never heard of: its process may be stopped, or hangs at the start"
    }
    if silent >= silence {
      return "silent for \(Int(silent)) s, last seen\(step): its process is stopped (SIGSTOP, a debugger) or starved"
    }
    if let routine = rank.glance.routine { return "in \(routine)\(step) for \(Int(rank.glance.seconds)) s" }
    if let work = rank.glance.work {
      let idle = rank.glance.idleSeconds.isFinite ? rank.glance.idleSeconds : rank.glance.seconds
      return "busy with \(work)\(step), of which nothing got done for \(Int(idle)) s: its storage may hang"
    }
    return "busy outside of MPI\(step) for \(Int(rank.glance.seconds)) s: computing, or waiting for files"
  }
}
