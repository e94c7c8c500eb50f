package import Training

extension Dashboard: RunObserver {
  package var announcement: String? { "dashboard \(address)" }

  package func begin(_ folder: RunFolder) throws {
    start(try MetricsHistory(path: folder.metrics), RunStart.all(in: folder.starts).starts)
  }

  package func write(_ line: MetricsFile.Line) { publish(line) }

  package func finish(_ ending: String) { stop(ending) }

  package func abandon(_ ending: String) { stop(ending) }
}
