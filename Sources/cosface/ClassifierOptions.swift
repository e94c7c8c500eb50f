import ArgumentParser
import Distributed
import Training

/// Where the class weight lies, and how much of it a step computes.
struct ClassifierOptions: ParsableArguments {
  @Option(
    of: \.$classifier,
    help: """
      Where the class weight lies: replicated (all of it on every rank) or sharded (divided among the ranks: for many \
      classes, as memory shrinks with the ranks and traffic does not grow with the classes).
      """)
  var classifier: ClassifierKind

  @Option(
    of: \.$sampleRate,
    help: """
      Of sharded classes: a step computes those of its samples and this fraction of the others, drawn anew each step \
      (PartialFC). From 100,000 classes on.
      """)
  var sampleRate: Double?

  @Flag(of: \.$forceSampleRate, help: "Accept --sample-rate with fewer classes.")
  var forceSampleRate: Bool

  func validate() throws { try refuseConflicts() }
}
