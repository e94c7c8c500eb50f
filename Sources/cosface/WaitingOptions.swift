import ArgumentParser
import Training

/// How long ranks wait for one another.
struct WaitingOptions: ParsableArguments {
  @Option(
    Limits.collectiveTimeout,
    help:
      "Seconds that a rank may wait in one collective operation, for ranks that get nothing done meanwhile, before all are ended, with the names of those that did not arrive; 0: for ever."
  )
  var collectiveTimeout = 300.0
}
