import Glibc
import Synchronization

/// Where this rank stands, for the watchdog, which looks from a thread of its own: the step, and the call of the MPI
/// library that it is inside.
package enum Activity {
  private static let step = Atomic<Int>(-1)
  /// Address of the routine's name; 0 outside of the library.
  private static let routine = Atomic<UInt>(0)
  /// When the library was entered or left last, in nanoseconds.
  private static let since = Atomic<UInt64>(now)

  /// What one look found.
  package struct Glance: Equatable, Sendable {
    /// Of training; nil before the first.
    var step: Int?
    /// The C function that the rank is inside, such as `MPI_Allreduce`; nil where it computes.
    var routine: String?
    /// Since it went inside, or came out.
    var seconds: Double

    package init(step: Int? = nil, routine: String? = nil, seconds: Double) {
      self.step = step
      self.routine = routine
      self.seconds = seconds
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

  static func glance() -> Glance {
    // A call may end between the two loads: then the time is the new call's, which is short, and nothing is suspected.
    let name = routine.load(ordering: .acquiring)
    let start = since.load(ordering: .relaxed)
    let index = step.load(ordering: .relaxed)
    let clock = now
    return Glance(
      step: index < 0 ? nil : index,
      routine: UnsafePointer<CChar>(bitPattern: name).map { String(cString: $0) },
      seconds: clock > start ? Double(clock - start) / 1e9 : 0)
  }

  /// Nanoseconds of a clock that never goes back.
  static var now: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

extension World {
  /// Tells the watchdog that this rank begins the step, so that its messages can name it.
  package static func begin(step: Int) { Activity.begin(step: step) }
}
