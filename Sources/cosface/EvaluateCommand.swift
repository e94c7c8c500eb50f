import ArgumentParser
import Evaluation
import Files
import Inference
import MPI
import Training

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Evaluate a trained network on people it never saw: verification, or identification among distractors.",
    discussion: """
      Started alone or by mpirun, which divides the images among ranks; the result is the same.

      Verification, with --data: do two images show the same person? The pairs are those of --pairs, or else all pairs \
      of the folder's images, or, where these are more than --max-pairs, a sample of them, half of the same person and \
      half of different people. Accuracy, precision and recall at the best threshold, ten-fold accuracy (LFW's own folds \
      where the list has them), AUC, EER and TAR at FAR go to standard output. With --templates the pairs are of \
      templates, sets of images of one person, as in IJB-A, B and C: a template's vector is the mean of its media's \
      means, and with --gallery-templates and --probe-templates in place of --pairs people are searched for by them.

      Identification, with --probes: is the right person the first, or among the first five, whom a search finds? With \
      --distractors alone as in MegaFace: each image of a person is put among the distractors in turn, and each of the \
      person's other images is searched for. With --gallery each probe is searched for among all the gallery's images, \
      and the distractors if there are any; with --open-set also probes whose person is not there.
      """)

  @Option(help: ModelKindOptions.modelHelp)
  var model: String?

  @OptionGroup var kind: ModelKindOptions

  @Option(
    parsing: .upToNextOption,
    help: "Embeddings in place of a model: .safetensors files that 'cosface embed' wrote; no image is read.")
  var embeddings: [String] = []

  @OptionGroup var work: EmbeddingOptionGroup

  @Option(
    help: "Faces: a folder (DIR/PERSON/IMAGE), .rec or list; with --pairs the folder that its names are relative to.")
  var data: String?

  @Option(
    help: """
      List of pairs: LFW's format (pairs.txt with its folds, or a View 1 list), or lines 'PATH PATH 0|1'; CSV with titles \
      and quotes, too.
      """)
  var pairs: String?

  @OptionGroup(title: "Templates")
  var templates: TemplateFlags

  @OptionGroup(title: "Identification")
  var identification: IdentificationFlags

  @Option(
    Limits.people, help: "Evaluate only the people that train held out with the same --holdout-people and --seed."
  )
  var holdoutPeople = 0

  @Option(
    Limits.seed,
    help: "Seed of the training run whose people were held out, and of the sample of pairs; 1 unless given.")
  var seed: UInt64?

  @Option(
    Limits.pairs,
    help: "Most pairs to compare, where there is no list of them; \(Verification.defaultMaximumPairs) unless given.")
  var maxPairs: Int?

  @Flag(help: "Also show what raw pixels achieve: cosines of grey pictures, \(RawPixels.side) x \(RawPixels.side).")
  var rawPixels = false

  @Flag(help: "Write one JSON object instead of a table.")
  var json = false

  @Option(help: "File to write every pair and its cosine to, as CSV; of a search for people every search and its rank.")
  var output: String?

  @Option(help: "File to write the points of the ROC curve to, as CSV.")
  var roc: String?

  @Flag(help: "Keep the best threshold beside the model, for 'cosface compare'.")
  var keepThreshold = false

  @Option(
    Limits.falseAcceptRate,
    help:
      "FAR whose threshold --keep-threshold keeps, in place of the best: at most this share of strangers is accepted.")
  var thresholdAt: Double?

  @Option(
    Limits.badImages, help: "Fraction of the images that may be unreadable; each is named, and its pairs are left out.")
  var maxBadImages = 0.001

  func validate() throws {
    guard (model == nil) != embeddings.isEmpty else {
      throw ValidationError("Give --model, or --embeddings that were made with one; not both.")
    }
    if !embeddings.isEmpty {
      let idle: [(String, Bool)] = [
        ("--workers", work.workers != 1), ("--max-bad-images", maxBadImages != 0.001), ("--raw-pixels", rawPixels),
        ("--keep-threshold", keepThreshold),
      ]
      try refuse(kind.given + work.networkAlone + idle, with: "--embeddings")
    }
    guard (data == nil) != (identification.probes == nil) else {
      throw ValidationError("Give --data to verify, or --probes to identify; not both.")
    }
    if identification.probes != nil {
      let others: [(String, Bool)] = [
        ("--templates", templates.templates != nil)
      ]
      try refuse(others + verificationAlone, with: "--probes")
    }
    if templates.isSearch { try refuse(verificationAlone, with: "--probe-templates") }
    guard keepThreshold || thresholdAt == nil else {
      throw ValidationError("--threshold-at goes with --keep-threshold.")
    }
    if pairs != nil || data?.hasSuffix(".bin") == true {
      let drawing: [(String, Bool)] = [("--max-pairs", maxPairs != nil), ("--seed", seed != nil)]
      if let (name, _) = drawing.first(where: \.1) {
        throw ValidationError("\(name) is of no use with a list of pairs: all of them are compared.")
      }
    }
    guard templates.templates == nil || pairs != nil || templates.isSearch else {
      throw ValidationError(
        "--templates needs the pairs of templates that are compared: --pairs. Or give --gallery-templates and "
          + "--probe-templates to search.")
    }
    guard pairs == nil || holdoutPeople == 0 else {
      throw ValidationError("--pairs and --holdout-people exclude each other: a list names its images itself.")
    }
  }

  /// What says nothing to a search.
  private var verificationAlone: [(String, Bool)] {
    [
      ("--pairs", pairs != nil), ("--holdout-people", holdoutPeople > 0), ("--raw-pixels", rawPixels),
      ("--roc", roc != nil), ("--keep-threshold", keepThreshold), ("--max-pairs", maxPairs != nil),
      ("--seed", seed != nil),
    ]
  }

  private func refuse(_ options: [(String, Bool)], with other: String) throws {
    if let (name, _) = options.first(where: \.1) { throw ValidationError("\(name) is of no use with \(other).") }
  }

  func run() throws {
    work.run { communicator in
      if communicator.rank == 0 { try OutputFiles.tryOut([output, roc], inputs: inputs) }
      guard let data else { return try identify(communicator) }
      if let probes = templates.probeTemplates {
        try search(probes, data, communicator)
      } else {
        try verify(data, communicator)
      }
    }
  }

  private var inputs: [String?] {
    [model, data, pairs] + embeddings + templates.inputs
      + [identification.probes, identification.gallery, identification.distractors]
  }

  private func verify(_ data: String, _ communicator: Communicator) throws {
    let evaluation = try Evaluation(options(data), communicator)
    if communicator.rank == 0, keepThreshold { try evaluation.tryOutThreshold() }
    if communicator.rank == 0 { Notes.show(evaluation.verification.source.notes) }
    if communicator.rank == 0 { warn(evaluation.trainedPeople, of: evaluation.verification.source.classNames.count) }
    let cost = try evaluation.cost()
    if communicator.rank == 0 { cost?.lines.forEach(Terminal.note) }
    let report = try evaluation.run()
    if communicator.rank == 0 { try json ? Terminal.print(json: report) : Terminal.print(report.description) }
    if let output { try evaluation.writeScores(to: output) }
    if let roc { try evaluation.writeROC(to: roc) }
    if keepThreshold { try evaluation.keepThreshold() }
  }

  private func search(_ probes: String, _ data: String, _ communicator: Communicator) throws {
    let search = try TemplateIdentification(
      options(data), galleries: templates.galleryTemplates, probes: probes, communicator)
    if communicator.rank == 0 { Notes.show(search.notes) }
    let report = try search.run()
    guard communicator.rank == 0 else { return }
    try json ? Terminal.print(json: report) : Terminal.print(report.description)
    if let output { try search.writeSearches(to: output) }
  }

  private func identify(_ communicator: Communicator) throws {
    var options = identification.options(model: model)
    options.embeddings = embeddings
    options.assumedModel = kind.assumed
    options.flip = work.flip
    options.maximumBadImages = maxBadImages
    options.batchSize = work.batchSize
    options.workers = work.workers
    let identification = try Identification(options, communicator)
    if communicator.rank == 0 { Notes.show(identification.notes) }
    if communicator.rank == 0 { warn(identification.trainedPeople, of: identification.people) }
    let cost = try identification.cost()
    if communicator.rank == 0 { cost.lines.forEach(Terminal.note) }
    let report = try identification.run { note in if communicator.rank == 0 { Notes.show([note]) } }
    guard communicator.rank == 0 else { return }
    try json ? Terminal.print(json: report) : Terminal.print(report.description)
    if let output { try identification.writeRanks(to: output) }
  }

  private func options(_ data: String) -> EvaluationOptions {
    var options = EvaluationOptions(model: model, embeddings: embeddings, data: data)
    options.assumedModel = kind.assumed
    options.pairs = pairs
    templates.fill(&options)
    options.thresholdAt = thresholdAt
    options.holdoutPeople = holdoutPeople
    options.seed = seed ?? 1
    options.maximumPairs = maxPairs ?? Verification.defaultMaximumPairs
    options.flip = work.flip
    options.rawPixels = rawPixels
    options.maximumBadImages = maxBadImages
    options.batchSize = work.batchSize
    options.workers = work.workers
    return options
  }

  /// A model knows its own people; their figures would be taken for those of strangers.
  private func warn(_ trained: Int, of all: Int) {
    guard trained > 0 else { return }
    let warning =
      "Warning: \(trained) of the \(all) people bear names of people that the model was trained on. "
      + "--holdout-people n --seed s, as given to train, evaluate on the others alone."
    Terminal.note(warning)
  }
}
