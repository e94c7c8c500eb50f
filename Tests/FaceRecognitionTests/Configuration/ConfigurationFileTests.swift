import FaceRecognition
import Files
import Testing
import Training

@Suite struct ConfigurationFileTests {
  private func read(_ text: String) throws -> [ConfigurationFile.Entry] {
    try ConfigurationFile(text: text, path: "run.yaml").entries
  }

  private func expectRefusal(
    _ text: String, line: Int?, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let error = #expect(throws: ConfigurationError.self, sourceLocation: sourceLocation) { try read(text) }
    #expect(error?.line == line, "\(String(describing: error))", sourceLocation: sourceLocation)
    for word in words { #expect(error?.reason.contains(word) == true, "\(String(describing: error))") }
  }

  @Test func valuesComeAsTheyAreWritten() throws {
    let entries = try read(
      """
      # A comment
      network: mobilefacenet
      learning-rate: 0.050   # another
      warmup: 2e
      data: "a b: c"
      milestones: [10e, 16e]
      nesterov: true
      output: 'it''s'
      """)
    #expect(entries.map(\.key) == ["network", "learning-rate", "warmup", "data", "milestones", "nesterov", "output"])
    #expect(
      entries.map(\.values) == [["mobilefacenet"], ["0.050"], ["2e"], ["a b: c"], ["10e", "16e"], ["true"], ["it's"]])
    #expect(entries.map(\.line) == [2, 3, 4, 5, 6, 7, 8])
    #expect(entries.map(\.isList) == [false, false, false, false, true, false, false])
    #expect(try read("").isEmpty && read("# nothing\n").isEmpty)
  }

  @Test func whatNoConfigurationIs() {
    expectRefusal("batch-size: 4\nseed: 1\nbatch-size: 8\n", line: 1, "'batch-size' stands there twice")
    expectRefusal("a: 1\nb: [[1, 2], 3]\n", line: 2, "'b' must be a list of single values")
    expectRefusal("a: 1\nb:\n  c: 3\n", line: 2, "'b' must be a single value or a list")
    expectRefusal("a: 1\nb:\nc: ~\n", line: 2, "'b' has no value")
    expectRefusal("- a\n- b\n", line: 1, "batch-size: 32")
    expectRefusal("a: 1\n? [b, c]\n: 2\n", line: 2, "the name of an option")
    expectRefusal("a: 1\nb: ]\n", line: 2, "no YAML")
    expectRefusal("a: 1\n\tb: 2\n", line: 2, "no YAML")
    expectRefusal("a: 1\n--- \nb: 2\n", line: 2, "another document")
  }

  /// Nine levels of ten would be a billion values, and comparing keys of them would never end.
  @Test func aliasesAreRefusedBeforeTheyGrow() {
    var bomb = "l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...9 {
      bomb +=
        "l\(level): &l\(level) [" + [String](repeating: "*l\(level - 1)", count: 10).joined(separator: ", ") + "]\n"
    }
    expectRefusal(bomb, line: 2, "'*l0'", "aliases are not taken")
    expectRefusal(bomb + "? *l9\n: 1\n? *l9\n: 2\n", line: 2, "aliases are not taken")
    expectRefusal(String(repeating: "[", count: 20_000), line: 1, "no YAML")
  }

  @Test func nearestNames() {
    let names = ["batch-size", "learning-rate", "logit-scale", "margin", "steps"]
    for (given, meant) in [
      ("batchsize", "batch-size"), ("batchSize", "batch-size"), ("batch_size", "batch-size"),
      ("learning-rte", "learning-rate"), ("lerning-rate", "learning-rate"), ("stesp", "steps"), ("step", "steps"),
      ("marginn", "margin"),
    ] {
      #expect(NearestName.of(given, in: names) == meant)
    }
    #expect(NearestName.of("x", in: []) == nil)
  }

  @Test func writtenOptionsAreReadBack() throws {
    var options = TrainingOptions(data: ["a folder: of 'faces'"], output: "runs/first")
    options.length = .steps(500)
    options.milestones = [.epochs(10), .steps(400)]
    options.nesterov = true
    (options.margin, options.allowLargeMargin) = (0.6, true)
    options.learningRate = 1e-4
    options.seed = .max
    options.stopAfter = .steps(3)
    let entries = try read(options.yaml())
    let values = Dictionary(uniqueKeysWithValues: entries.map { ($0.key, $0.values) })
    #expect(values["data"] == ["a folder: of 'faces'"] && values["output"] == ["runs/first"])
    #expect(values["steps"] == ["500"] && values["epochs"] == nil && values["length"] == nil)
    #expect(values["milestones"] == ["10e", "400"] && values["nesterov"] == ["true"])
    #expect(values["margin"] == ["0.6"] && values["allow-large-margin"] == ["true"])
    #expect(Double(values["learning-rate"]?.first ?? "") == 1e-4 && values["seed"] == ["18446744073709551615"])
    #expect(values["stop-after"] == nil && values["gradient-clipping"] == nil)
    #expect(values["checkpoint-every"] == ["10m"] && values["batch-size"] == ["32"])
  }
}
