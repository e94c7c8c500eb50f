import Foundation
import Synchronization
package import Training

/// The live page of a run: the report's page, made when somebody asks for it, from what the training thread publishes.
///
/// Publishing costs the step a few additions under a lock. Pages are made on the server's thread, one for each renewal of
/// the browsers at most. The thread owns what it answers with, and ends before this object does.
package final class Dashboard: Sendable {
  /// What to open in a browser.
  package let address: String
  private let server: DashboardServer
  private let pages: DashboardPages

  /// Listens from now on; answers from `start` on.
  ///
  /// - Throws: `DashboardError`
  package init(_ address: DashboardAddress, _ folder: RunFolder, _ options: TrainingOptions) throws(DashboardError) {
    server = try DashboardServer(address)
    let token = server.isLoopback ? nil : DashboardToken()
    pages = DashboardPages(folder, options, token)
    let host = address.host.contains(":") ? "[\(address.host)]" : address.host
    self.address = "http://\(host):\(server.port)/" + (token.map { "?token=\($0.text)" } ?? "")
  }

  deinit { server.stop() }

  /// - Parameters:
  ///   - history: what was trained before.
  ///   - starts: this start and those before.
  package func start(_ history: MetricsHistory, _ starts: [RunStart]) {
    pages.begin(history, starts)
    server.start { [pages] in pages.answer($0) }
  }

  /// Adds a step: on the training thread.
  package func publish(_ line: MetricsFile.Line) { pages.add(line) }

  /// Shows those who watch how the run ended, and ends: at once where nobody does.
  package func stop(_ ending: String) {
    if pages.end(ending) { Thread.sleep(forTimeInterval: Double(DashboardPages.renewal) + 0.5) }
    server.stop()
  }
}

extension Dashboard: RunObserver {
  package var announcement: String? { "dashboard \(address)" }

  package func begin(_ folder: RunFolder) throws {
    start(try MetricsHistory(path: folder.metrics), RunStart.all(in: folder.starts).starts)
  }

  package func write(_ line: MetricsFile.Line) { publish(line) }

  package func finish(_ ending: String) { stop(ending) }

  package func abandon(_ ending: String) { stop(ending) }
}
