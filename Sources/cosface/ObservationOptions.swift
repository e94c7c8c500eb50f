import ArgumentParser
import Reports
import Training

/// What one can watch of a training run.
struct ObservationOptions: ParsableArguments {
  @Flag(of: \.$tensorboard, help: "Write event files for TensorBoard into the run's folder: tensorboard --logdir RUN.")
  var tensorboard: Bool

  @Option(of: \.$histogramEvery, help: "How often TensorBoard gets histograms of norms and cosines; 0: never.")
  var histogramEvery: TrainingLength

  @Option(
    of: \.$dashboard,
    help:
      "Serve a live page of the run from rank 0 at HOST:PORT, such as 127.0.0.1:8080; other addresses than loopback need the token that is printed."
  )
  var dashboard: String?

  func validate() throws {
    if let dashboard, DashboardAddress(dashboard) == nil {
      throw ValidationError(
        "--dashboard '\(dashboard)' must be HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080, the port from 0 to 65535.")
    }
  }
}
