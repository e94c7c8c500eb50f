import Files
import Synchronization

/// Where this rank stands, for the watchdog, which looks from a thread of its own: the step, the call of the MPI library
/// that it is inside, and what it last got done outside of it.
package enum Activity {
  private static let step = Atomic<Int>(-1)
  /// Address of the routine's name; 0 outside of the library.
  private static let routine = Atomic<UInt>(0)
  /// When the library was entered or left last, in nanoseconds.
  private static let since = Atomic<UInt64>(now)
  /// Address of the name of the long work that this rank does alone; 0 where there is none.
  private static let work = Atomic<UInt>(0)

  /// What one look found.
  package struct Glance: Equatable, Sendable {
    /// Of training; nil before the first.
    var step: Int?
    /// The C function that the rank is inside, such as `MPI_Allreduce`; nil where it computes.
    var routine: String?
    /// Since it went inside, or came out.
    package var seconds: Double
    /// What it does alone for long, such as "writing the model".
    var work: String?
    /// Since it last got something done: read or wrote a piece of a file, decoded an image. Infinite before.
    var idleSeconds: Double

    package init(
      step: Int? = nil, routine: String? = nil, seconds: Double, work: String? = nil, idleSeconds: Double = .infinity
    ) {
      self.step = step
      self.routine = routine
      self.seconds = seconds
      self.work = work
      self.idleSeconds = idleSeconds
    }
  }

  @inline(__always) static func enter(_ name: StaticString) {
    since.store(now, ordering: .relaxed)
    routine.store(UInt(bitPattern: name.utf8Start), ordering: .releasing)
  }

  @inline(__always) static func leave() {
    since.store(now, ordering: .relaxed)
    routine.store(0, ordering: .releasing)
  }

  static func begin(step index: Int) { step.store(index, ordering: .relaxed) }

  /// The name before, to be given back.
  static func begin(work name: UInt) -> UInt { work.exchange(name, ordering: .relaxed) }

  static func glance() -> Glance {
    // A call may end between the two loads: then the time is the new call's, which is short, and nothing is suspected.
    let name = routine.load(ordering: .acquiring)
    let start = since.load(ordering: .relaxed)
    let index = step.load(ordering: .relaxed)
    let task = work.load(ordering: .relaxed)
    let clock = now
    func age(_ time: UInt64) -> Double { clock > time ? Double(clock - time) / 1e9 : 0 }
    func text(_ address: UInt) -> String? { UnsafePointer<CChar>(bitPattern: address).map { String(cString: $0) } }
    return Glance(
      step: index < 0 ? nil : index, routine: text(name), seconds: age(start), work: text(task),
      idleSeconds: Heartbeat.idleSeconds)
  }

  /// Nanoseconds of a clock that never goes back.
  static var now: UInt64 { Heartbeat.now }
}

extension World {
  /// Tells the watchdog that this rank begins the step, so that its messages can name it.
  package static func begin(step: Int) { Activity.begin(step: step) }

  /// Names what this rank does in `body`, for which the others may have to wait: "writing the model". Its work calls
  /// `Heartbeat.beat()` as it goes; a rank that gets nothing done for the timeout counts as hung.
  package static func during<R, E: Error>(_ work: StaticString, _ body: () throws(E) -> R) throws(E) -> R {
    let before = Activity.begin(work: UInt(bitPattern: work.utf8Start))
    Heartbeat.beat()
    defer {
      Heartbeat.beat()
      _ = Activity.begin(work: before)
    }
    return try body()
  }
}
