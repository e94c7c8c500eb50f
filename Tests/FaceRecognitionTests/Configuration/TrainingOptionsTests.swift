import Files
import Testing
import Training

/// An option is its property in `TrainingOptions` and its flag: all else goes by the name.
@Suite struct TrainingOptionsTests {
  @Test func everyOptionHasItsFlagAndEveryFlagItsOption() throws {
    let flags = Set(
      try CommandLineOption.all().filter { $0.command == ["train"] && !$0.name.hasPrefix("no-") }.map {
        TrainingOptions.name(of: $0.name)
      })
    // What belongs to the command, not to the run.
    let own: Set = ["config", "resume", "resumeOrStart", "acceptChanges", "collectiveTimeout"]
    let options = Set(TrainingOptions.declared.keys).subtracting(["length"]).union(["epochs", "steps"])
    #expect(flags.subtracting(own) == options)
    for name in options { #expect(TrainingOptions.name(of: TrainingOptions.flag(of: name)) == name) }
  }

  @Test func whatIsNotPossibleIsNamed() {
    func expect(_ name: String, _ value: String, _ need: String, _ change: (inout TrainingOptions) -> Void) {
      var options = TrainingOptions.defaults
      change(&options)
      let found = options.impossible.map { [$0.name, $0.value, $0.need] }
      #expect(found == [name, value, need])
    }
    #expect(TrainingOptions.defaults.impossible == nil)
    expect("momentum", "1.5", "a number from 0 to 0.9999 is needed") { $0.momentum = 1.5 }
    expect("momentum", "nan", "a number from 0 to 0.9999 is needed") { $0.momentum = .nan }
    expect("margin", "2.0", "a number from 0 to 1 is needed") { $0.margin = 2 }
    expect("embedding", "20", "a multiple of 16 from 16 to 4096 is needed") { $0.embedding = 20 }
    expect("warmup", "-1", TrainingLength.meaning + " is needed") { $0.warmup = .steps(-1) }
    expect("stopAfter", "-2e", TrainingLength.meaning + " is needed") { $0.stopAfter = .epochs(-2) }
    expect("milestones", "-3", TrainingLength.meaning + " is needed") { $0.milestones = [.steps(1), .steps(-3)] }
  }

  @Test func whatDoesNotGoTogetherIsRefused() {
    func conflict(_ change: (inout TrainingOptions) -> Void) -> String {
      var options = TrainingOptions.defaults
      change(&options)
      return options.conflict ?? ""
    }
    #expect(TrainingOptions.defaults.conflict == nil)
    #expect(conflict { $0.schedule = .step }.contains("--milestones"))
    #expect(conflict { $0.length = .epochs(0) }.contains("above 0"))
    #expect(conflict { $0.margin = 0.5 }.contains("--allow-large-margin"))
    #expect(conflict { ($0.margin, $0.marginKind) = (0.5, .angular) } == "")
    #expect(conflict { ($0.optimizer, $0.nesterov) = (.adamw, true) }.contains("--optimizer sgd"))
    #expect(conflict { ($0.optimizer, $0.beta1) = (.sgd, 0.8) }.contains("--optimizer adamw"))
    var open = TrainingOptions.defaults
    open.nesterov = true
    #expect(open.conflictOfRun?.contains("--optimizer sgd") == true)
    #expect(conflict { $0.dropout = 0.4 }.contains("mobilefacenet has no dropout"))
  }

  /// Sets for validation are called by their files, and by their paths where two would have one name.
  @Test func validationSetsHaveNames() throws {
    func names(_ paths: String..., heldOut: Int = 0) -> [String] {
      var options = TrainingOptions.defaults
      (options.validation, options.holdoutPeople) = (paths, heldOut)
      return options.validationSources.map(\.name)
    }
    #expect(names() == [])
    #expect(names("a/lfw.bin", "b/cfp_fp.bin", "people/", heldOut: 3) == ["lfw", "cfp_fp", "people", "heldOut"])
    #expect(names("a/val", "b/val") == ["a/val", "b/val"])
    #expect(names("heldOut", heldOut: 1) == ["heldOut", "heldOut"])
    var options = TrainingOptions.defaults
    options.validation = ["a/lfw.bin", "list.txt", "people.rec"]
    options.validationImages = "root"
    #expect(
      options.validationSources.map(\.kind) == [
        .set(path: "a/lfw.bin"), .pairs(path: "list.txt", root: "root"), .set(path: "people.rec"),
      ])
    options.bestBy = "people"
    #expect(options.choosingSource?.kind == .set(path: "people.rec"))
    // One set alone, as runs of before have it.
    let former = try TrainingOptions(configuration: ["validation": .string("a/lfw.bin")])
    #expect(former.validation == ["a/lfw.bin"])
  }

  /// What is left open is filled in by the run's own numbers, and nothing else.
  @Test func whatIsLeftOpen() {
    func resolved(_ people: Int, _ batch: Int, _ change: (inout TrainingOptions) -> Void = { _ in }) -> TrainingOptions
    {
      var options = TrainingOptions.defaults
      change(&options)
      return options.resolved(classCount: people, globalBatchSize: batch)
    }
    #expect([60, 907, 7330, 1_000_000].map { resolved($0, 64).logitScale } == [14, 20, 24, 35])
    #expect(resolved(60, 64).logitMultiplier == nil && resolved(60, 64) { $0.logitMultiplier = 8 }.logitScale == nil)
    #expect([16, 64, 256, 4096].map { resolved(60, $0).learningRate } == [0.001, 0.002, 0.004, 0.004])
    #expect([16, 64, 256].map { resolved(60, $0) { $0.optimizer = .sgd }.learningRate } == [0.05, 0.1, 0.2])
    #expect(resolved(60, 64).optimizer == .muon && resolved(60, 64).weightDecay == 0.05)
    #expect(resolved(60, 64) { $0.optimizer = .sgd }.weightDecay == 5e-4)
    #expect(resolved(60, 64).augmentStrength == 0.5 && resolved(60, 64) { $0.augment = .flip }.augmentStrength == nil)
    let lengths: [TrainingLength] = [.epochs(20), .epochs(4), .steps(500)]
    #expect(
      lengths.map { length in resolved(60, 64) { $0.length = length }.warmup } == [
        .epochs(1), .epochs(0.4), .steps(50),
      ])
    let chosen = resolved(60, 64) {
      ($0.optimizer, $0.learningRate, $0.weightDecay, $0.logitScale, $0.warmup) = (.sgd, 0.3, 0, 50, .steps(0))
    }
    #expect(chosen.learningRate == 0.3 && chosen.weightDecay == 0 && chosen.warmup == .steps(0))
    #expect(chosen.resolved(classCount: 9, globalBatchSize: 9) == chosen)
  }

  /// A checkpoint written when SGD and a learned scale were what nobody asked for goes on with them.
  @Test func whatOlderRunsLeftOpen() throws {
    let old = try TrainingOptions(configuration: ["learningRate": .number(0.1)]).formerly
    #expect(old.augmentStrength == 1)
    #expect(old.optimizer == .sgd && old.logitMultiplier == 32 && old.logitScale == nil && old.warmup == .steps(0))
    let fixed = try TrainingOptions(configuration: ["logitScale": .number(16), "optimizer": .string("adamw")]).formerly
    #expect(fixed.logitScale == 16 && fixed.logitMultiplier == nil && fixed.optimizer == .adamw)
  }

  /// Names and forms of before, and options that there were not.
  @Test func optionsOfOlderRuns() throws {
    let options = try TrainingOptions(configuration: [
      "maxPerPerson": .integer(7), "verifyReplicas": .integer(50), "margin": .number(0.6), "length": .string("3e"),
    ])
    var expected = TrainingOptions.defaults
    (expected.maxImagesPerPerson, expected.verifyReplicas, expected.length) = (7, .steps(50), .epochs(3))
    (expected.margin, expected.allowLargeMargin) = (0.6, true)
    #expect(options == expected)
    #expect(options.conflict == nil)
    #expect(try TrainingOptions(configuration: options.values()) == options)
  }
}
