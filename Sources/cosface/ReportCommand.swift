import ArgumentParser
import Files
import Foundation
import MPI
import Reports
import Training

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Make one HTML page of a run, or of several side by side.",
    discussion: """
      The page stands for itself and loads nothing: curves, what was run, where and how long. A finished run's model \
      is evaluated on --data, or else on the run's own validation set or people held out: ROC, DET, scores, precision \
      and recall, who is taken for whom. Started alone or by mpirun, which divides the images among ranks.
      """)

  @Argument(help: "Folders of runs; several are compared.")
  var runs: [String]

  @Option(help: "File to write (RUN/report.html of the first run unless given).")
  var output: String?

  @Option(help: "Folder of faces to evaluate the models on: DIR/PERSON/IMAGE; with --pairs the root of its names.")
  var data: String?

  @Option(help: "List of pairs, as evaluate takes it.")
  var pairs: String?

  @Flag(inversion: .prefixedNo, help: "Evaluate the models.")
  var evaluation = true

  @Option(
    Limits.pictures,
    help:
      "Hardest pairs of each kind to show, with pictures and file names in the page: 8 where --data is given, else 0.")
  var pictures: Int?

  @Option(
    Limits.confusedPeople,
    help:
      "Most confused people to show, by name, in a matrix of false accepts: 12 where --data is a set of people, else 0."
  )
  var confusedPeople: Int?

  @Flag(help: "Also show what raw pixels achieve, as evaluate does.")
  var rawPixels = false

  @Option(Limits.batchSize, help: "Images per rank that go through the network at once; 32 unless given.")
  var batchSize: Int?

  @Option(
    Limits.threads,
    help: "Threads per rank that compute; OMP_NUM_THREADS, or the rank's share of the cores, unless given.")
  var threads: Int?

  @Option(Limits.threads, help: "Threads per rank that read and decode images; 1 unless given.")
  var workers: Int?

  @Option(
    Limits.badImages,
    help: "Fraction of the images that may be unreadable; their pairs are left out; 0.001 unless given.")
  var maxBadImages: Double?

  @OptionGroup var waiting: WaitingOptions

  func validate() throws {
    guard (1...6).contains(runs.count) else {
      throw ValidationError("A page shows up to 6 runs, not \(runs.count).")
    }
    guard pairs == nil || data != nil else { throw ValidationError("--pairs needs the images' folder: --data.") }
    let evaluating: [(String, Bool)] = [
      ("--data", data != nil), ("--pictures", pictures != nil), ("--confused-people", confusedPeople != nil),
      ("--raw-pixels", rawPixels), ("--max-bad-images", maxBadImages != nil),
      ("--batch-size", batchSize != nil), ("--workers", workers != nil), ("--threads", threads != nil),
    ]
    if !evaluation, let (name, _) = evaluating.first(where: \.1) {
      throw ValidationError("\(name) and --no-evaluation exclude each other: no image is looked at.")
    }
    guard confusedPeople != 1 else {
      throw ValidationError("--confused-people is 1, but two are needed for one to be taken for the other.")
    }
    guard (confusedPeople ?? 0) == 0 || !comparesList else {
      throw ValidationError(
        "--confused-people is of no use with a list of pairs: it does not say who is on the images.")
    }
  }

  func run() throws {
    World.run(collectiveTimeout: waiting.collectiveTimeout) { communicator in
      try Threads.use(threads, communicator.placement())
      let options = options
      let notes = try Report(options, communicator).write()
      guard communicator.rank == 0 else { return }
      for note in notes { Terminal.note("warning: \(note)") }
      Terminal.print(line: options.output)
    }
  }

  private var comparesList: Bool { pairs != nil || data.map { FilePath.hasEnding(".bin", $0) } == true }

  private var options: ReportOptions {
    var options = ReportOptions(runs: runs, output: output ?? RunFolder(runs[0]).file("report.html"))
    options.data = data
    options.pairs = pairs
    options.evaluates = evaluation
    options.pictures = pictures ?? (data == nil ? 0 : 8)
    options.confusedPeople = confusedPeople ?? (data == nil || comparesList ? 0 : 12)
    options.rawPixels = rawPixels
    options.batchSize = batchSize ?? options.batchSize
    options.workers = workers ?? options.workers
    options.maximumBadImages = maxBadImages ?? options.maximumBadImages
    return options
  }
}
