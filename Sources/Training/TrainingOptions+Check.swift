import Files
import NeuralNetwork
import Weights

extension TrainingOptions {
  /// A setting that is not what it may be, whoever gave it.
  package struct Impossible: Equatable {
    /// As the property is called.
    package let name: String
    package let value: String
    /// "a whole number from 1 to 1024 is needed"
    package let need: String
  }

  /// The first impossible setting: what flags and configurations refuse at once, code and checkpoints may bring.
  package var impossible: Impossible? {
    for (name, setting) in settings {
      guard let (value, need) = Self.declared[name]?.problem(of: setting.value) else { continue }
      return Impossible(name: name, value: value, need: need)
    }
    return nil
  }

  /// What settings that are possible, each for itself, must not be together; options by their names on the command line.
  package var conflict: String? {
    let isLarge = (margin ?? marginKind.usual) >= 0.5
    let rules: [(Bool, String)] = [
      (joinPeople && data.count == 1, "--join-people needs several sets: --data A B."),
      (validationImages != nil && validation.isEmpty, "--validation-images needs the pair list: --validation."),
      (
        (validateEvery != Self.defaults.validateEvery || bestBy != nil || patience != nil) && validationSources.isEmpty,
        "--validate-every, --best-by and --patience need people to validate on: --validation or --holdout-people."
      ),
      (
        Set(validation.map { Name($0) }).count < validation.count,
        "--validation names a set twice."
      ),
      (
        !validationSources.isEmpty && choosingSource == nil,
        "--best-by \((bestBy ?? "").printableName): the validation sets are called "
          + validationSources.map(\.name.printableName).joined(separator: ", ") + "."
      ),
      (augmentStrength != nil && augment != .standard, "--augment-strength goes with --augment standard."),
      (
        dropout != 0 && !network.takesDropout,
        "--dropout: \(network.rawValue) has no dropout; only the IResNets have."
      ),
      (
        weights == nil && (allowMissing || newRows != Self.defaults.newRows),
        "--allow-missing and --new-rows go with --weights."
      ),
      (
        teacher != nil && !teacherEmbeddings.isEmpty, "--teacher and --teacher-embeddings exclude each other: give one."
      ),
      (teacherWeight != nil && !isTaught, "--teacher-weight goes with --teacher or --teacher-embeddings."),
      (
        !labels && !isTaught,
        "--no-labels needs what to learn from: a model by --teacher, or its embeddings by --teacher-embeddings."
      ),
      (
        !labels && (sampling != .uniform || joinPeople || minImagesPerPerson > 1 || maxImagesPerPerson != nil),
        "--sampling balanced, --join-people, --min-images-per-person and --max-images-per-person need people: not with "
          + "--no-labels."
      ),
      (!labels && holdoutPeople > 0, "--holdout-people needs people: with --no-labels validate on --validation."),
      (
        !labels && hasLossOfPeople,
        "Margin, scale and norm of the class weight are of people's classes: with --no-labels leave them out."
      ),
      (
        !labels && (classifier == .sharded || sampleRate != nil),
        "--classifier sharded and --sample-rate are for people's classes: with --no-labels leave them out."
      ),
      (isTaught && freezesBackbone, "--freeze backbone leaves nothing that could learn from a teacher."),
      (!labels && headEpochs != nil, "--head-epochs trains people's classes first: with --no-labels leave it out."),
      (
        marginKind != .angular && !allowLargeMargin && isLarge,
        "--margin \(margin ?? 0) must be from 0 to less than 0.5, or up to 1 with --allow-large-margin."
      ),
      (
        marginKind == .angular && allowLargeMargin,
        "--allow-large-margin is for margins of the cosine: with --margin-kind angular leave it out."
      ),
      (
        marginKind != .combined && (marginMultiplier != nil || marginAngle != nil),
        "--margin-multiplier and --margin-angle go with --margin-kind combined."
      ),
      (
        marginKind == .combined && marginMultiplier == nil && marginAngle == nil,
        "--margin-kind combined needs --margin-multiplier or --margin-angle: without them it is the kind cosine."
      ),
      (
        logitMultiplier != nil && logitScale != nil,
        "--logit-multiplier and --logit-scale exclude each other: give one."
      ),
      (forceSampleRate && sampleRate == nil, "--force-sample-rate goes with --sample-rate."),
      (length == .steps(0) || length == .epochs(0), "--epochs or --steps must be above 0."),
      (nesterov && momentum == 0, "--nesterov needs a --momentum above 0."),
      (
        (optimizer ?? .sgd) != .sgd && (nesterov || momentum != Self.defaults.momentum),
        "--momentum and --nesterov go with --optimizer sgd."
      ),
      (
        optimizer == .sgd
          && (beta1, beta2, epsilon) != (Self.defaults.beta1, Self.defaults.beta2, Self.defaults.epsilon),
        "--beta1, --beta2 and --epsilon go with --optimizer adamw or muon."
      ),
      (
        optimizer != nil && optimizer != .muon && matrixRateFactor != Self.defaults.matrixRateFactor,
        "--matrix-rate-factor goes with --optimizer muon."
      ),
      ((schedule == .step) == milestones.isEmpty, "--schedule step and --milestones belong together."),
      (traceSteps != nil && trace == nil, "--trace-steps goes with --trace."),
      (
        !tensorboard && ![.steps(0), Self.defaults.histogramEvery].contains(histogramEvery),
        "--histogram-every goes with --tensorboard, which has its histograms."
      ),
    ]
    return rules.first(where: \.0)?.1 ?? (freezesBackbone ? conflictOfFrozenBackbone : nil)
  }

  /// Whether there is a teacher to learn from.
  package var isTaught: Bool { teacher != nil || !teacherEmbeddings.isEmpty }

  private var hasLossOfPeople: Bool {
    marginKind != Self.defaults.marginKind || margin != nil || logitScale != nil || logitMultiplier != nil
      || classWeightNorm != nil || classWeightDecay != Self.defaults.classWeightDecay
  }

  /// Refuses what no command line gives: options that come from a checkpoint are somebody's file.
  ///
  /// - Throws: `ModelFileError` that names the option.
  func check(in run: String) throws {
    guard let impossible else { return }
    throw ModelFileError(
      path: run,
      reason: "has a checkpoint of impossible configuration: \(impossible.name) is \(impossible.value), but "
        + impossible.need)
  }
}
