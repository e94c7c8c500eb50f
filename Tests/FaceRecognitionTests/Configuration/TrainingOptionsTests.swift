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
    #expect(conflict { $0.dropout = 0.4 }.contains("mobilefacenet has no dropout"))
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
