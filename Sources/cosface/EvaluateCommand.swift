import ArgumentParser
import FaceRecognition
import Foundation
import MPI

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Judge a trained network by telling whether two images show the same person.",
    discussion: """
      Started alone or by mpirun, which divides the images among ranks; the result is the same. The pairs are those of \
      --pairs, or else all pairs of the folder's images, or, where these are more than --max-pairs, a sample of them, \
      half of the same person and half of different people. Accuracy, precision and recall at the best threshold, \
      ten-fold accuracy (LFW's own folds where the list has them), AUC, EER and TAR at FAR go to standard output.
      """)

  @Option(help: "Model to judge: a run's folder, or a model.safetensors.")
  var model: String

  @Option(help: "Folder of faces: DIR/PERSON/IMAGE; with --pairs the folder that its names are relative to.")
  var data: String

  @Option(help: "List of pairs: LFW's format (pairs.txt with its folds, or a View 1 list), or lines 'PATH PATH 0|1'.")
  var pairs: String?

  @Option(help: "Judge by those people alone whom train held out with the same --holdout-people and --seed.")
  var holdoutPeople = 0

  @Option(help: "Seed of the training run whose people were held out, and of the sample of pairs.")
  var seed: UInt64 = 1

  @Option(help: "Most pairs to judge by, where there is no list of them.")
  var maxPairs = Verification.defaultMaximumPairs

  @Flag(inversion: .prefixedNo, help: "Add the embedding of the mirrored image to each image's.")
  var flip = true

  @Flag(help: "Show beside it what pixels achieve: cosines of grey pictures, \(RawPixels.side) x \(RawPixels.side).")
  var rawPixels = false

  @Flag(help: "Write one JSON object instead of a table.")
  var json = false

  @Option(help: "File to write every pair and its cosine to, as CSV.")
  var output: String?

  @Flag(help: "Keep the best threshold beside the model, for 'cosface compare'.")
  var keepThreshold = false

  @Option(help: "Fraction of the images that may be unreadable; each is named, and its pairs are left out.")
  var maxBadImages = 0.001

  @Option(help: "Images per rank that go through the network at once.")
  var batchSize = 32

  @Option(help: "Threads per rank that compute; OMP_NUM_THREADS, or the rank's share of the cores, unless given.")
  var threads: Int?

  @Option(help: "Threads per rank that read and decode images.")
  var workers = 1

  func validate() throws {
    try Validation.atLeast(0, "--holdout-people", holdoutPeople)
    try Validation.atLeast(2, "--max-pairs", maxPairs)
    try Validation.atLeast(1, "--batch-size", batchSize)
    try Validation.atLeast(1, "--workers", workers)
    if let threads { try Validation.atLeast(1, "--threads", threads) }
    guard (0...1).contains(maxBadImages) else {
      throw ValidationError("--max-bad-images \(maxBadImages) must be a fraction from 0 to 1.")
    }
    guard pairs == nil || holdoutPeople == 0 else {
      throw ValidationError("--pairs and --holdout-people exclude each other: a list names its images itself.")
    }
  }

  func run() throws {
    World.run { communicator in
      Threads.use(threads, try communicator.placement())
      let evaluation = try Evaluation(options, communicator)
      if communicator.rank == 0 { warn(evaluation) }
      let report = try evaluation.run()
      guard communicator.rank == 0 else { return }
      let text = json ? try report.json() : Data(report.description.utf8)
      FileHandle.standardOutput.write(text + Data("\n".utf8))
      if let output { try evaluation.writeScores(to: output) }
      if keepThreshold { try evaluation.keepThreshold() }
    }
  }

  private var options: EvaluationOptions {
    var options = EvaluationOptions(model: model, data: data)
    options.pairs = pairs
    options.holdoutPeople = holdoutPeople
    options.seed = seed
    options.maximumPairs = maxPairs
    options.flip = flip
    options.rawPixels = rawPixels
    options.maximumBadImages = maxBadImages
    options.batchSize = batchSize
    options.workers = workers
    return options
  }

  /// A model knows its own people; their figures would be taken for those of strangers.
  private func warn(_ evaluation: Evaluation) {
    let trained = evaluation.trainedPeople
    guard trained > 0 else { return }
    let all = evaluation.verification.source.classNames.count
    let warning =
      "Warning: \(trained) of the \(all) people bear names of people that the model was trained on. "
      + "--holdout-people n --seed s, as given to train, judge by the others alone.\n"
    FileHandle.standardError.write(Data(warning.utf8))
  }
}
