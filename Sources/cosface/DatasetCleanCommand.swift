import ArgumentParser
import Cleaning
import Files
import Inference
import MPI
import Reports
import Training

struct DatasetCleanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "clean",
    abstract: "Find wrong labels, people mixed up and pictures twice, by a network's embeddings; nothing is changed.",
    discussion: """
      Names images that are far from their person and near another, folders that hold two people, people who are in the set \
      twice, pictures that are in it twice, and with --validation people who are in both sets. From where on something \
      counts as wrong follows from the cosines of strangers in the set itself. The table has a line for each image or \
      person, with what is proposed: edit it, then 'cosface dataset apply'. The sheet shows the faces side by side.

      Started by mpirun, the ranks share the images that are embedded; what follows is found by rank 0 on its threads.
      """)

  @Option(help: "Set of people: a folder (DIR/PERSON/IMAGE), .rec or list.")
  var data: String

  @Option(help: ModelKindOptions.modelHelp)
  var model: String?

  @OptionGroup var kind: ModelKindOptions

  @Option(help: "Embeddings in place of a model: a .safetensors that 'cosface embed --data DATA' wrote.")
  var embeddings: String?

  @Option(help: "Validation set, in the same forms: people who are in both sets are named.")
  var validation: String?

  @Option(help: "Embeddings of the validation set, where those of the set are given.")
  var validationEmbeddings: String?

  @Option(help: "File to write the table to, as CSV.")
  var output: String

  @Option(help: "File to write the contact sheet to, as HTML.")
  var sheet: String?

  @Option(
    Limits.findings,
    help: "Findings of each kind that the sheet shows; \(DatasetCleanCommand.defaultPictures) unless given.")
  var pictures: Int?

  @Option(
    Limits.falseRate,
    help: """
      Share of the images far from their person, but nobody else's, that may still be named; \
      \(CleaningOptions(data: "").falseLabels) unless given.
      """)
  var falseLabels: Double?

  @Option(
    Limits.falseRate,
    help: """
      Share of the people who are nobody else that may still be named as another; \
      \(CleaningOptions(data: "").falsePeople) unless given.
      """)
  var falsePeople: Double?

  @Option(Limits.findingScore, help: "Least score of an image of another person, in place of --false-labels.")
  var labelScore: Double?

  @Option(Limits.findingScore, help: "Least score of two people who are one, in place of --false-people.")
  var personScore: Double?

  @Option(Limits.correlation, help: "Least correlation of the grey levels of two pictures that are one.")
  var pictureCorrelation = CleaningOptions(data: "").pictureCorrelation

  @Option(Limits.badImages, help: "Fraction of the images that may be unreadable; each is named and left out.")
  var maxBadImages = 0.001

  @OptionGroup var work: EmbeddingOptionGroup

  @Flag(help: "Print one JSON object.")
  var json = false

  private static let defaultPictures = 50

  func validate() throws {
    guard (model == nil) != (embeddings == nil) else {
      throw ValidationError("Give --model, or --embeddings that were made with one; not both.")
    }
    if embeddings != nil {
      let idle = kind.given + work.networkAlone
      if let (name, _) = idle.first(where: \.1) { throw ValidationError("\(name) is of no use with --embeddings.") }
      guard (validation == nil) == (validationEmbeddings == nil) else {
        throw ValidationError("With --embeddings, --validation and --validation-embeddings belong together.")
      }
    } else if validationEmbeddings != nil {
      throw ValidationError("--validation-embeddings goes with --embeddings.")
    }
    guard pictures == nil || sheet != nil else { throw ValidationError("--pictures goes with --sheet.") }
    guard labelScore == nil || falseLabels == nil else {
      throw ValidationError("--label-score and --false-labels exclude each other.")
    }
    guard personScore == nil || falsePeople == nil else {
      throw ValidationError("--person-score and --false-people exclude each other.")
    }
  }

  func run() throws {
    work.run { communicator in
      if communicator.rank == 0 {
        try OutputFiles.tryOut(
          [output, sheet], inputs: [data, model, embeddings, validation, validationEmbeddings])
      }
      let cleaning = try DatasetCleaning(options, communicator)
      if communicator.rank == 0 { Notes.show(cleaning.notes) }
      guard let outcome = try cleaning.run() else { return }
      if let warning = outcome.report.warning { Terminal.note(warning) }
      try outcome.table(of: cleaning.source).write(to: output)
      if let sheet {
        try ContactSheet(
          outcome.report, outcome.findings, of: cleaning.source, validation: cleaning.validation,
          limit: pictures ?? DatasetCleanCommand.defaultPictures, progress: Heartbeat.beat
        ).write(to: sheet)
      }
      try json ? Terminal.print(json: outcome.report) : Terminal.print(outcome.report.description)
    }
  }

  private var options: CleaningOptions {
    var options = CleaningOptions(data: data)
    (options.model, options.embeddings, options.assumedModel) = (model, embeddings, kind.assumed)
    (options.validation, options.validationEmbeddings) = (validation, validationEmbeddings)
    (options.flip, options.batchSize, options.workers) = (work.flip, work.batchSize, work.workers)
    options.maximumBadImages = maxBadImages
    options.falseLabels = falseLabels ?? options.falseLabels
    options.falsePeople = falsePeople ?? options.falsePeople
    (options.labelScore, options.personScore) = (labelScore, personScore)
    options.pictureCorrelation = pictureCorrelation
    return options
  }
}
