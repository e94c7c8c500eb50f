import Foundation
import Synchronization
package import Training

/// The live page of a run: the report's page, made when somebody asks for it, from what the training thread publishes.
///
/// Publishing costs the step a few additions under a lock. Pages are made on the server's thread, one for each renewal of
/// the browsers at most.
package final class Dashboard: Sendable {
  /// What to open in a browser.
  package let address: String
  private let server: DashboardServer
  private let token: DashboardToken?
  private let folder: RunFolder
  private let options: TrainingOptions
  private let shared: Mutex<Shared>
  /// Used by the server's thread alone.
  private let pages: Mutex<CachedPage?> = Mutex(nil)

  private struct Shared {
    var history: MetricsHistory
    var starts: [RunStart]
    var ending: String?
  }

  private struct CachedPage {
    let time: ContinuousClock.Instant
    let response: DashboardResponse
  }

  /// Seconds between renewals in the browser.
  private static let renewal = 2

  /// Listens from now on; answers from `start` on.
  ///
  /// - Throws: `DashboardError`
  package init(_ address: DashboardAddress, _ folder: RunFolder, _ options: TrainingOptions) throws(DashboardError) {
    server = try DashboardServer(address)
    token = server.isLoopback ? nil : DashboardToken()
    (self.folder, self.options) = (folder, options)
    shared = Mutex(Shared(history: MetricsHistory(), starts: []))
    let host = address.host.contains(":") ? "[\(address.host)]" : address.host
    self.address = "http://\(host):\(server.port)/" + (token.map { "?token=\($0.text)" } ?? "")
  }

  /// - Parameters:
  ///   - history: what was trained before.
  ///   - starts: this start and those before.
  package func start(_ history: MetricsHistory, _ starts: [RunStart]) {
    shared.withLock { $0 = Shared(history: history, starts: starts) }
    server.start { [unowned self] in answer($0) }
  }

  /// Adds a step: on the training thread.
  package func publish(_ line: MetricsFile.Line) { shared.withLock { $0.history.add(line) } }

  /// Shows those who watch how the run ended, and ends: at once where nobody does.
  package func stop(_ ending: String) {
    shared.withLock { $0.ending = ending }
    let isWatched = pages.withLock { cached in
      defer { cached = nil }
      return cached.map { ContinuousClock.now - $0.time < .seconds(2 * Self.renewal) } ?? false
    }
    if isWatched { Thread.sleep(forTimeInterval: Double(Self.renewal) + 0.5) }
    server.stop()
  }

  func answer(_ request: DashboardRequest) -> DashboardResponse {
    guard ["GET", "HEAD"].contains(request.method) else { return .refusal(405, "This page can only be read.") }
    if let refusal = refusal(of: request) { return refusal }
    switch request.path {
    case "/": return page()
    case "/metrics.json": return metrics()
    default: return .refusal(404, "There is / and /metrics.json.")
    }
  }

  private func refusal(of request: DashboardRequest) -> DashboardResponse? {
    guard let token else {
      // Another site's name that was made to point here would let that site's scripts read along.
      let host = request.headers["host"].flatMap { DashboardAddress($0)?.host ?? $0 } ?? ""
      return DashboardAddress.isLoopback(host: host)
        ? nil : .refusal(403, "Ask for this page by localhost or 127.0.0.1.")
    }
    let header = request.headers["authorization"].flatMap { $0.hasPrefix("Bearer ") ? String($0.dropFirst(7)) : nil }
    guard let given = request.query["token"] ?? header else {
      return .refusal(401, "Open the address that the run has printed: it ends with ?token=...")
    }
    return token.matches(given) ? nil : .refusal(403, "This is not the token that the run has printed.")
  }

  private func page() -> DashboardResponse {
    pages.withLock { cached in
      if let cached, ContinuousClock.now - cached.time < .seconds(Self.renewal) { return cached.response }
      let (history, starts, ending) = shared.withLock { ($0.history, $0.starts, $0.ending) }
      let run = RunRecord(folder: folder, options: options, starts: starts, history: history)
      let nonce = DashboardToken().text
      let page = ReportPage([run], evaluations: [nil], live: .init(nonce: nonce, seconds: Self.renewal, ending: ending))
      let response = DashboardResponse(type: "text/html; charset=utf-8", body: Data(page.html.utf8), nonce: nonce)
      cached = CachedPage(time: .now, response: response)
      return response
    }
  }

  /// The newest line, and how far the run is.
  private struct Metrics: Encodable {
    let totalSteps: Int?
    let steps: Int
    let samples: Int
    let seconds: Double
    let bestAccuracy: Double?
    let last: MetricsFile.Line?
  }

  private func metrics() -> DashboardResponse {
    let (history, starts) = shared.withLock { ($0.history, $0.starts) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let metrics = Metrics(
      totalSteps: starts.last?.totalSteps, steps: history.steps, samples: history.samples, seconds: history.seconds,
      bestAccuracy: history.best?.accuracy, last: history.last)
    guard let body = try? encoder.encode(metrics) else { return .refusal(404, "A number is not finite.") }
    return DashboardResponse(type: "application/json", body: body)
  }
}
