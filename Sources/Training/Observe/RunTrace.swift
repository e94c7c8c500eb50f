import Distributed
import Files
import MPI

/// The trace of some steps of a run, kept in memory until the run ends.
final class RunTrace {
  let recorder: TraceRecorder
  private let steps: TraceSteps
  private let path: String
  private let communicator: Communicator
  private var hasBegun = false

  /// nil without `options.trace`. Throws now, not at the end, where the file cannot be written. A file in the run's own
  /// folder, which may not be there yet, is left to `tryOut`.
  init?(_ options: TrainingOptions, _ step: TrainingStep, firstStep: Int, _ communicator: Communicator) throws {
    guard let path = options.trace else { return nil }
    self.path = path
    self.communicator = communicator
    steps = options.traceSteps ?? TraceSteps(afterStartAt: firstStep)
    let isInRun = path.utf8.starts(with: (FilePath.withoutFinalSlash(options.output) + "/").utf8)
    if communicator.rank == 0 && !isInRun { try AtomicFile.tryOut(path) }
    // In each step: chains of layers forward and backward (at most one a layer), three events a bucket (sent, summed,
    // updated), and long calls of the MPI library.
    let layers = step.network.layers.count
    let floats = step.network.parameters.gradients.count + step.classWeight.store.gradients.count
    let buckets = 4 * floats / options.stepSettings.bucketBytes + 4
    let events = 2 * layers * options.gradientAccumulation + 3 * buckets + 500
    try MemoryNeed.check(
      events * steps.count * TraceRecorder.bytesPerEvent, of: "A trace of \(steps.count) steps", remedy: "--trace-steps"
    )
    recorder = TraceRecorder(capacity: events * steps.count)
    step.trace = recorder
  }

  /// Fails where the file cannot be written. One rank calls it.
  func tryOut() throws(FileError) { try AtomicFile.tryOut(path) }

  /// Every rank calls it before each step. They begin the first recorded step together, which sets their clocks.
  func begin(step index: Int) throws {
    guard steps.contains(index) else { return recorder.end() }
    if !hasBegun {
      try communicator.barrier()
      LibraryTime.observe { [recorder] in recorder.call($0.routine, from: $0.start, to: $0.end) }
    }
    hasBegun = true
    recorder.begin(step: index)
  }

  /// Every rank calls it when the run ends. Returns what rank 0 shall say.
  ///
  /// - Throws: `TrainingError.noTrace` on rank 0 where the file cannot be written.
  func write() throws -> String {
    recorder.end()
    LibraryTime.observe(nil)
    if let error = try World.during("writing the trace", { try TraceFile.write(recorder, to: path, communicator) }) {
      throw TrainingError.noTrace(error)
    }
    let text = hasBegun ? "steps \(steps) in \(path)" : "the run ended before step \(steps.first); \(path) is empty"
    return text + (recorder.dropped > 0 ? "; \(recorder.dropped) events of rank 0 found no place" : "")
  }
}
