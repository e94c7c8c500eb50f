import Foundation
import Synchronization
import TestSupport
import Testing

/// Every number of every command: its bounds stand in its help, and what is outside is refused with them.
@Suite(.serialized) struct OptionBoundsTests {
  /// Options whose values are no numbers: paths, names and addresses. All others have bounds, or a list of values.
  private static let texts: Set<String> = [
    "batches", "best-by", "boxes", "compute", "config", "dashboard", "data", "detector-scores", "distractors",
    "embeddings", "freeze", "gallery", "gallery-templates", "images", "landmarks", "link", "model", "output", "pairs",
    "people", "person", "probe-templates", "probes", "resume", "resume-or-start", "roc", "sheet", "size:align",
    "table", "teacher", "teacher-embeddings", "templates", "trace", "validation", "validation-embeddings",
    "validation-images", "weights",
  ]

  struct Number: CustomStringConvertible, Sendable {
    let option: CommandLineOption
    /// As the help and the refusal say it.
    let bounds: String
    let least: Double
    let greatest: Double
    let excludesLeast: Bool
    let isWhole: Bool

    var description: String { option.description }

    init?(_ option: CommandLineOption) {
      let closed = /from (-?[0-9][0-9.e+-]*?) to ([0-9](?:[0-9.e+]*[0-9])?)/
      let open = /above ([0-9]+)m?, up to ([0-9](?:[0-9.e+]*[0-9])?)/
      guard let match = option.help.firstMatch(of: closed) ?? option.help.firstMatch(of: open),
        let least = Double(match.1), let greatest = Double(match.2)
      else { return nil }
      (self.option, self.least, self.greatest) = (option, least, greatest)
      bounds = String(match.0)
      excludesLeast = bounds.hasPrefix("above")
      isWhole = option.help.contains(/whole number|multiple of|number of steps|steps A/)
    }

    func allows(_ text: String) -> Bool {
      guard let value = Double(text), !isWhole || Int(text) != nil || UInt64(text) != nil else { return false }
      if excludesLeast && value == least { return false }
      return value >= least && (value <= greatest || UInt64(text).map { Double($0) <= greatest } == true)
    }
  }

  @Test func everyNumberHasBounds() throws {
    let options = try CommandLineOption.all()
    let valued = options.filter { $0.kind == "option" && $0.values == nil }
    #expect(valued.count > 100)
    let boundless = valued.filter {
      Number($0) == nil && !Self.texts.contains($0.name) && !Self.texts.contains("\($0.name):\($0.command.last ?? "")")
    }
    #expect(boundless.isEmpty, "\(boundless)")
  }

  /// What stands behind the option is unknown to every command: a value that is taken costs no work.
  @Test func whatIsOutsideIsRefused() throws {
    let numbers = try CommandLineOption.all().compactMap(Number.init)
    #expect(numbers.count > 90)
    let values = ["-1", "0", "9223372036854775807", "1e308", "nan", "inf", "text"]
    // Of options that several commands have, the others are asked less.
    var seen: Set<String> = []
    let cases = numbers.flatMap { number in
      let isNew = seen.insert(number.option.name + number.bounds).inserted
      return (isNew ? values : ["9223372036854775807", "text"]).map { (number, $0) }
    }
    let wrong = Mutex<[String]>([])
    DispatchQueue.concurrentPerform(iterations: cases.count) { index in
      let (number, value) = cases[index]
      let command = number.option.command + ["--\(number.option.name)", value, "--no-such-option"]
      let outcome = try? Subprocess.cosface(command)
      guard let outcome, outcome.exitCode == 64, Self.isRight(outcome, number, value) else {
        return wrong.withLock { $0.append("\(number) \(value): \(outcome?.text ?? "did not run")") }
      }
    }
    let all = wrong.withLock { $0 }
    #expect(all.isEmpty, "\(all.count): \(all.prefix(10).joined(separator: "\n"))")
  }

  private static func isRight(_ outcome: Subprocess.Outcome, _ number: Number, _ value: String) -> Bool {
    let message = outcome.lines.first ?? ""
    if number.allows(value) {
      // The command is refused for another reason: this option misses another one, or what comes behind.
      return message.hasPrefix("Error: ") && !message.contains(" is invalid for ")
    }
    // A list's values must not begin with a dash: the help that follows has the bounds.
    if message.hasPrefix("Error: Missing value") {
      return value == "-1" && number.option.isRepeating && outcome.text.contains(number.bounds)
    }
    return message.hasPrefix("Error: The value '\(value)' is invalid for '--\(number.option.name)")
      && message.contains(number.bounds)
  }

  /// All at once, at their greatest: nothing overflows, and the run does what it is asked for.
  @Test(arguments: [
    [
      "--steps", "1000000000000", "--warmup", "1000000000000", "--checkpoint-every", "1000000m", "--keep", "1000000",
      "--verify-replicas", "1000000000000", "--histogram-every", "1000000000000", "--bucket-megabytes", "1024",
      "--validate-every", "1000000e", "--collective-timeout", "10000000", "--max-images-per-person", "1000000000",
      "--optimizer", "sgd", "--momentum", "0.9999", "--weight-decay", "1000", "--gradient-clipping", "1e12",
      "--logit-scale", "1e6", "--class-weight-norm", "1e6", "--seed", "18446744073709551615", "--max-bad-images", "1",
    ],
    [
      "--epochs", "1000000", "--gradient-accumulation", "65536", "--checkpoint-every", "1000000000000", "--warmup",
      "1000000e", "--schedule", "step", "--milestones", "1000000e", "1000000000000", "--batch-size", "65536",
      "--workers", "64", "--validate-every", "1000000000000",
    ],
  ])
  func theGreatestValuesWork(options: [String]) throws {
    let faces = try FaceFolder(people: 5, images: 4)
    let run = faces.path + "-run"
    defer { try? FileManager.default.removeItem(atPath: run) }
    let outcome = try Subprocess.cosface(
      [
        "train", "--data", faces.path, "--output", run, "--embedding", "32", "--input-size", "48", "--stop-after", "1",
        "--holdout-people", "2",
      ] + options)
    #expect(outcome.exitCode == 75, "\(outcome.text)")
  }

  /// What is within bounds, and still more than any machine has.
  @Test(arguments: [
    ["bench", "head", "--classes", "1000000000", "--embedding", "4096"],
    ["bench", "infer", "--batch-size", "65536", "--input-size", "1024"],
    [
      "bench", "infer", "--embedding", "4096", "--input-size", "4096", "--network", "iresnet100", "--batch-size",
      "65536",
    ],
    ["bench", "step", "--batch-size", "65536", "--input-size", "1024"],
    ["plan", "--batch-size", "65536", "--input-size", "1024"],
  ])
  func whatDoesNotFitIntoMemoryIsRefused(arguments: [String]) throws {
    let outcome = try Subprocess.cosface(arguments)
    #expect(outcome.exitCode == 1)
    expectRefusal(outcome, "of memory in each rank, and this host has", "give a smaller --")
  }

  @Test func trainingThatDoesNotFitIntoMemoryLeavesNothing() throws {
    let faces = try FaceFolder(people: 3, images: 4)
    let run = faces.path + "-run"
    let outcome = try Subprocess.cosface([
      "train", "--data", faces.path, "--output", run, "--network", "iresnet100", "--embedding", "4096", "--input-size",
      "4096", "--batch-size", "12",
    ])
    expectRefusal(outcome, "Training like this needs at least", "--input-size")
    #expect(!FileManager.default.fileExists(atPath: run))
  }

  /// A configuration's numbers are those of the command line, and told with their line.
  @Test func numbersOfAConfiguration() throws {
    let path = NSTemporaryDirectory() + "bounds-\(UUID().uuidString).yaml"
    defer { try? FileManager.default.removeItem(atPath: path) }
    for text in ["epochs: 1e19", "workers: 1000000", "momentum: .nan", "gradient-accumulation: 9223372036854775807"] {
      try Data("seed: 1\n\(text)\n".utf8).write(to: URL(fileURLWithPath: path))
      let outcome = try Subprocess.cosface(["train", "--config", path, "--data", "d", "--output", "o"])
      expectRefusal(outcome, "\(path), line 2", "is needed")
    }
  }

  @Test(arguments: ["1000000", "0", "-1", "many"]) func threadsOfTheEnvironment(text: String) throws {
    let outcome = try Subprocess.cosface(
      ["bench", "infer", "--network", "spherenet20", "--input-size", "16", "--embedding", "16", "--steps", "1"],
      environment: ["OMP_NUM_THREADS": text])
    expectRefusal(outcome, "OMP_NUM_THREADS is '\(text)'", "a whole number from 1 to 1024 is needed")
  }
}
