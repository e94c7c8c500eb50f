import ArgumentParser
import Training

struct RunOptions: ParsableArguments {
  @Option(help: "Folder for the run; it must not hold one already.")
  var output: String?

  @Option(of: \.$seed, help: "Seed of the weights, the data order and the augmentation.")
  var seed: UInt64

  @Option(
    Limits.threads,
    help: "Threads per rank that compute; OMP_NUM_THREADS, or the rank's share of the cores, unless given.")
  var threads: Int?

  @Option(of: \.$checkpointEvery, help: "How often to write a checkpoint: 500 (steps), 2e (epochs) or 10m (minutes).")
  var checkpointEvery: CheckpointInterval

  @Option(of: \.$keep, help: "Newest checkpoints to keep, besides the best by validation.")
  var keep: Int

  @Option(help: "Resume this run from its newest whole checkpoint; all other options come from it.")
  var resume: String?

  @Option(
    help:
      """
      As --resume, but start the run if it has no checkpoint yet. Give all options; on another number of ranks the run's \
      own global batch size counts.
      """
  )
  var resumeOrStart: String?

  @Flag(help: "With --resume: take options that change the mathematics from the command line.")
  var acceptChanges = false

  @Option(
    of: \.$stopAfter,
    help: """
      Save and stop when this start of the run has come so far, with exit code 75; the schedule stays that of the whole run. \
      0 saves what a run begins with.
      """)
  var stopAfter: TrainingLength?

  @Option(
    of: \.$verifyReplicas, help: "How often to compare all weights among the ranks, to the bit; never unless given.")
  var verifyReplicas: TrainingLength?

  @Flag(of: \.$logSamples, help: "Write down which images each step trained on, in the run's samples.jsonl.")
  var logSamples: Bool

  func validate() throws {
    guard resume == nil || resumeOrStart == nil else {
      throw ValidationError("Give --resume or --resume-or-start, not both.")
    }
    if let output, let run = resume ?? resumeOrStart, output != run {
      throw ValidationError("--output \(output) is not the run '\(run)' that goes on: leave it out.")
    }
    guard !acceptChanges || (resume ?? resumeOrStart) != nil else {
      throw ValidationError("--accept-changes goes with --resume.")
    }
  }
}
