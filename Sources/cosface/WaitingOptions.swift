import ArgumentParser
import Training

/// How long ranks wait for one another.
struct WaitingOptions: ParsableArguments {
  @Option(
    Limits.collectiveTimeout,
    help:
      """
      Seconds that a rank waits in a collective operation for ranks that make no progress. Then the ranks that did not \
      arrive are named and all are ended. 0: for ever.
      """
  )
  var collectiveTimeout = 300.0
}
