import ArgumentParser
import FaceRecognition

/// Where the class weight lies, and how much of it a step computes.
struct ClassifierOptions: ParsableArguments {
  @Option(
    help: """
      Where the class weight lies: replicated (all of it on every rank) or sharded (divided among the ranks: for many \
      classes, as memory shrinks with the ranks and traffic does not grow with the classes).
      """)
  var classifier = ClassifierKind.replicated

  @Option(
    help: """
      Of sharded classes: a step computes those of its samples and this fraction of the others, drawn anew each step \
      (PartialFC). From 100,000 classes on.
      """)
  var sampleRate: Double?

  @Flag(help: "Accept --sample-rate with fewer classes.")
  var forceSampleRate = false

  func validate() throws {
    guard let sampleRate else {
      guard !forceSampleRate else { throw ValidationError("--force-sample-rate goes with --sample-rate.") }
      return
    }
    guard sampleRate > 0 && sampleRate <= 1 else {
      throw ValidationError("--sample-rate \(sampleRate) must be in (0, 1].")
    }
  }

  func fill(_ options: inout TrainingOptions) {
    options.classifier = classifier
    options.sampleRate = sampleRate
    options.forceSampleRate = forceSampleRate
  }
}

extension ClassifierKind: ExpressibleByArgument {}
