import ArgumentParser
import Distributed
import Training

struct CommunicationOptions: ParsableArguments {
  @Option(
    of: \.$bucketMegabytes,
    help: "Megabytes of gradients that are sent together; may change how sums are rounded.")
  var bucketMegabytes: Int

  @Option(
    of: \.$gradientType,
    help: """
      Element type of the gradients that ranks send: float32, or bfloat16 for half the bytes and 8 bits of precision.
      """)
  var gradientType: GradientType

  @Option(
    of: \.$trace,
    help: """
      Write what all ranks did in some steps (work, waiting, buckets under way) to this file when the run ends or stops, \
      for https://ui.perfetto.dev.
      """)
  var trace: String?

  @Option(
    of: \.$traceSteps,
    help: "Steps of the trace, both included: 20..29. Ten steps after the first three unless given.")
  var traceSteps: TraceSteps?
}
