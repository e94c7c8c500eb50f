import Files
import Foundation
import Synchronization

/// Worker threads that fill a ring of batches ahead of their use.
///
/// Workers claim one image after the other, those of the next batch first, so that the first batch is ready soonest and
/// slow images hold up nobody. What a batch holds depends on its step only, never on threads.
///
/// Plain threads, not the OpenMP pool: that one computes while these decode.
final class ImagePipeline: @unchecked Sendable {
  /// One step's task.
  struct Work: Sendable {
    let epoch: Int
    let samples: [Int32]
    /// How often each has come before in the epoch; empty where each comes once.
    var repetitions: [Int32] = []
  }

  enum BadImagePolicy: Sendable {
    /// The next readable image of the same person takes its place.
    case replace
    /// Its pixels are zeros, and it is listed.
    case leaveBlank
  }

  /// So many unreadable images one after the other are a storage that is gone: a set without people must not be searched to
  /// its end for a replacement.
  private static let mostTries = 1000

  typealias Plan = @Sendable (_ step: Int) -> Work
  typealias Transform = @Sendable (_ epoch: Int, _ sample: Int, _ repetition: Int) -> PixelTransform

  private let source: any ImageSource
  private let side: Int
  private let teacherSide: Int?
  private let known: KnownImages?
  private let policy: BadImagePolicy
  private let plan: Plan
  private let transform: Transform
  private let slots: [PipelineSlot]
  /// Made when the first bad image needs replacing; most runs never do.
  private let classIndex = Mutex<ClassIndex?>(nil)

  // Guarded by `condition`, as the slots are.
  private let condition = NSCondition()
  private var fillStep = 0
  private var endStep = 0
  private var nextStep = 0
  /// Steps below have been given back.
  private var releasedStep = 0
  private var running = 0
  private var isStopping = false

  /// - Parameters:
  ///   - capacity: the most samples that `plan` ever names for a step.
  ///   - depth: batches in the ring: one in use, the others being filled.
  init(
    _ source: any ImageSource, side: Int, teacherSide: Int? = nil, known: KnownImages? = nil, capacity: Int, depth: Int,
    policy: BadImagePolicy, plan: @escaping Plan, transform: @escaping Transform
  ) {
    precondition(depth >= 2, "A ring of \(depth) batches: one is in use while another is filled")
    self.source = source
    self.side = side
    self.teacherSide = teacherSide
    self.known = known
    self.policy = policy
    self.plan = plan
    self.transform = transform
    slots = (0..<depth).map { _ in PipelineSlot(capacity: capacity, side: side, teacherSide: teacherSide) }
  }

  func start(_ steps: Range<Int>, workers: Int) {
    precondition(workers > 0, "\(workers) data workers")
    condition.lock()
    defer { condition.unlock() }
    precondition(running == 0, "The pipeline runs already")
    for slot in slots { slot.forget() }
    (fillStep, nextStep, releasedStep, endStep) = (
      steps.lowerBound, steps.lowerBound, steps.lowerBound, steps.upperBound
    )
    isStopping = false
    running = workers
    for worker in 0..<workers {
      Thread.start("data-\(worker)") { self.work() }
    }
  }

  /// Ends the workers and waits for them; each finishes the image in its hands.
  func stop() {
    condition.lock()
    isStopping = true
    condition.broadcast()
    while running > 0 { condition.wait() }
    condition.unlock()
  }

  /// Waits for the next step's batch; gives back the one before. `nil` after the last step.
  func next() throws(DataError) -> Batch? {
    condition.lock()
    defer { condition.unlock() }
    precondition(running > 0 && !isStopping, "next() of a pipeline that does not run")
    giveBack(through: nextStep)
    guard nextStep < endStep else { return nil }
    let slot = slots[nextStep % slots.count]
    while slot.step != nextStep || !slot.isReady { condition.wait() }
    let batch = try slot.batch()
    nextStep += 1
    return batch
  }

  func release(step: Int) {
    condition.lock()
    giveBack(through: step + 1)
    condition.unlock()
  }

  private func giveBack(through step: Int) {
    guard step > releasedStep else { return }
    precondition(step <= nextStep, "Step \(step - 1) is given back before it was taken")
    releasedStep = step
    condition.broadcast()
  }

  private func work() {
    let reader = SampleReader(source, side: side, teacherSide: teacherSide, known: known)
    condition.lock()
    while let (slot, position) = claim() {
      condition.unlock()
      let (bad, failure) = fill(slot, position, reader)
      condition.lock()
      slot.finish(position, bad, failure)
      if slot.isReady { condition.broadcast() }
    }
    running -= 1
    condition.broadcast()
    condition.unlock()
  }

  /// Waits for an image to do; `nil` when the pipeline stops. Called with the lock held.
  private func claim() -> (PipelineSlot, position: Int)? {
    while !isStopping {
      guard fillStep < min(endStep, releasedStep + slots.count) else {
        condition.wait()
        continue
      }
      let slot = slots[fillStep % slots.count]
      if slot.step != fillStep {
        slot.prepare(step: fillStep, plan(fillStep), source)
        // An empty batch is ready now, as nobody will finish its images; a full one has work for all.
        condition.broadcast()
      }
      if slot.isFullyClaimed {
        fillStep += 1
        continue
      }
      return (slot, slot.claim())
    }
    return nil
  }

  /// Reads the image of a position, or what stands in for it.
  private func fill(_ slot: PipelineSlot, _ position: Int, _ reader: SampleReader) -> (bad: [BadImage], DataError?) {
    let wanted = Int(slot.samples[position])
    // The transform stays that of the sample wanted: its replacement may be in the same epoch, and should look different.
    let transform = transform(slot.epoch, wanted, slot.repetition(position))
    slot.isMirrored[position] = transform.isMirrored
    let (planes, teacher) = (slot.planes(position), slot.teacherPlanes(position))
    guard let first = read(wanted, transform, to: planes, teacher, reader) else { return ([], nil) }
    var bad = [first]
    switch policy {
    case .leaveBlank:
      planes.update(repeating: 0, count: 3 * side * side)
      return (bad, nil)
    case .replace:
      let label = source.label(of: wanted)
      let index = classIndex.withLock { index in
        let known = index ?? ClassIndex(source)
        index = known
        return known
      }
      for sample in index.successors(of: wanted, label: label) {
        guard let next = read(sample, transform, to: planes, teacher, reader) else {
          slot.samples[position] = Int32(sample)
          return (bad, nil)
        }
        bad.append(next)
        if bad.count == Self.mostTries { return (bad, .noImage(after: bad, in: source)) }
      }
      return (bad, .noImage(of: source.classNames[label], in: source.location, bad))
    }
  }

  private func read(
    _ sample: Int, _ transform: PixelTransform, to planes: UnsafeMutablePointer<Float>,
    _ teacher: UnsafeMutablePointer<Float>?, _ reader: SampleReader
  ) -> BadImage? {
    do {
      try reader.read(sample, transform, to: planes, teacher: teacher)
      return nil
    } catch {
      return BadImage(sample: sample, identifier: source.identifier(of: sample), reason: error.reason)
    }
  }
}
