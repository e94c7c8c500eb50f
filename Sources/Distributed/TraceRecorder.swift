import MPI
package import NeuralNetwork

/// Records what a rank does in some steps: work as nested spans, and buckets under way as flights.
///
/// Memory is allocated once: names are interned before they are used, events fill an array of fixed size, and those that
/// do not fit are only counted. Outside of its steps a recorder costs a comparison; without a recorder nothing is spent.
/// One thread uses it.
package final class TraceRecorder {
  /// What a step is made of.
  package enum Phase: Int, CaseIterable, Sendable {
    case step, images, teacher, forward, classifierForward, classifierBackward, backward, communicationWait, update
    case renormalize, agreement, validation, checkpoint, zeroGradients

    var name: String {
      switch self {
      case .step: "step"
      case .images: "wait for images"
      case .teacher: "teacher"
      case .forward: "forward"
      case .classifierForward: "classifier forward"
      case .classifierBackward: "classifier backward"
      case .backward: "backward"
      case .communicationWait: "wait for communication"
      case .update: "update"
      case .renormalize: "renormalize"
      case .agreement: "loss and wishes of all ranks"
      case .validation: "validation"
      case .checkpoint: "checkpoint"
      case .zeroGradients: "zero gradients"
      }
    }

    var category: String {
      switch self {
      case .images, .communicationWait, .agreement: "waiting"
      default: "compute"
      }
    }
  }

  package struct Event {
    package enum Kind: UInt8 { case span, departure, arrival }
    package let kind: Kind
    package let name: Int32
    /// Nanoseconds of this host's clock.
    package let start: Int64
    package let duration: Int64
    /// Of a flight: its number, and the bytes that this rank sends. Of a span: the step.
    package let number: Int64
    package let bytes: Int64
  }

  /// The names that events refer to, with their categories.
  package private(set) var names: [(text: String, category: String)]
  /// Events so far.
  package private(set) var count = 0
  /// Events that found no place.
  package private(set) var dropped = 0
  /// Whether the present step is recorded.
  package private(set) var isOn = false
  /// When the first recorded step began: zero on the trace's time line. Set by all ranks together.
  package private(set) var origin: Int64 = 0

  private let events: UnsafeMutableBufferPointer<Event>
  private var step = 0
  private var passes: [ObjectIdentifier: PassTrace] = [:]
  /// Numbers of the names of C functions.
  private var routines: [UnsafePointer<UInt8>: Int] = [:]

  package static let bytesPerEvent = MemoryLayout<Event>.stride

  private static let phaseCount = Phase.allCases.count

  /// - Parameter capacity: events; each takes 40 bytes.
  package init(capacity: Int) {
    precondition(capacity >= 0, "A trace of \(capacity) events")
    events = .allocate(capacity: max(capacity, 1))
    names =
      Phase.allCases.map { ($0.name, $0.category) }
      + GradientReducer.Part.allCases.map { ($0.message.rawValue, "communication") }
  }

  deinit { events.deallocate() }

  package var recorded: UnsafeBufferPointer<Event> { .init(rebasing: events[0..<count]) }

  /// The time now, in nanoseconds of this host's clock.
  package var now: Int64 { LibraryTime.now }

  /// Records from here on; the first call sets the time line's zero, so all ranks should come from a barrier.
  package func begin(step: Int) {
    if origin == 0 { origin = now }
    self.step = step
    isOn = true
  }

  package func end() { isOn = false }

  /// A span from `start` to now.
  package func span(_ phase: Phase, from start: Int64) { span(name: phase.rawValue, from: start) }

  func span(name: Int, from start: Int64) {
    guard isOn else { return }
    append(.span, name, start: start, duration: now - start, number: step, bytes: 0)
  }

  /// A bucket goes on its way.
  func departs(_ part: GradientReducer.Part, number: Int, bytes: Int) {
    guard isOn else { return }
    append(.departure, Self.phaseCount + part.rawValue, start: now, duration: 0, number: number, bytes: bytes)
  }

  /// A bucket is summed.
  func arrives(_ part: GradientReducer.Part, number: Int) {
    guard isOn else { return }
    append(.arrival, Self.phaseCount + part.rawValue, start: now, duration: 0, number: number, bytes: 0)
  }

  /// A call of the MPI library. Short ones are left out: there is one at each poll.
  package func call(_ routine: StaticString, from start: Int64, to end: Int64) {
    guard isOn, end - start >= Self.shortestCall else { return }
    let name =
      routines[routine.utf8Start]
      ?? {
        let made = intern("\(routine)", category: "waiting")
        routines[routine.utf8Start] = made
        return made
      }()
    append(.span, name, start: start, duration: end - start, number: step, bytes: 0)
  }

  /// Nanoseconds.
  private static let shortestCall: Int64 = 50_000

  /// The observer of a pass's chains, made at the pass's first use, which allocates.
  package func observer(of pass: Pass) -> PassTrace {
    if let known = passes[ObjectIdentifier(pass)] { return known }
    let made = PassTrace(pass, self)
    passes[ObjectIdentifier(pass)] = made
    return made
  }

  /// Adds a name; returns its number in events.
  func intern(_ text: String, category: String) -> Int {
    names.append((text, category))
    return names.count - 1
  }

  private func append(_ kind: Event.Kind, _ name: Int, start: Int64, duration: Int64, number: Int, bytes: Int) {
    guard count < events.count else {
      dropped += 1
      return
    }
    (events.baseAddress! + count).initialize(
      to: Event(
        kind: kind, name: Int32(truncatingIfNeeded: name), start: start, duration: duration, number: Int64(number),
        bytes: Int64(bytes)))
    count += 1
  }
}

extension Optional where Wrapped == TraceRecorder {
  /// Does `body`, as a span where a trace is being recorded.
  @inline(__always)
  package func span<Result>(_ phase: TraceRecorder.Phase, _ body: () throws -> Result) rethrows -> Result {
    guard let recorder = self, recorder.isOn else { return try body() }
    let start = recorder.now
    defer { recorder.span(phase, from: start) }
    return try body()
  }
}

/// Records each chain of layers of one pass.
package final class PassTrace: PassObserver {
  private let recorder: TraceRecorder
  /// Kept alive: another pass at its address would be taken for it.
  private let pass: Pass
  private let forward: [Int]
  private let backward: [Int]
  private var start: Int64 = 0

  init(_ pass: Pass, _ recorder: TraceRecorder) {
    self.pass = pass
    self.recorder = recorder
    forward = pass.chainNames(.forward).map { recorder.intern($0, category: "forward") }
    backward = pass.chainNames(.backward).map { recorder.intern($0, category: "backward") }
  }

  package func begins(chain: Int, _ stage: PassStage) { start = recorder.now }

  package func ends(chain: Int, _ stage: PassStage) {
    recorder.span(name: stage == .forward ? forward[chain] : backward[chain], from: start)
  }
}
