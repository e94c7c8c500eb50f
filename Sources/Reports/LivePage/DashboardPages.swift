import Files
import Foundation
import Synchronization
import Training

/// What the dashboard's server answers with: the page and the numbers of a run.
final class DashboardPages: Sendable {
  private let token: DashboardToken?
  private let folder: RunFolder
  private let options: TrainingOptions
  private let shared = Mutex(Shared(history: MetricsHistory(), starts: []))
  /// Filled by the server's thread alone.
  private let cache: Mutex<CachedPage?> = Mutex(nil)

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
  static let renewal = 2

  /// - Parameter token: what a request must have; nil where only this machine can ask.
  init(_ folder: RunFolder, _ options: TrainingOptions, _ token: DashboardToken?) {
    (self.folder, self.options, self.token) = (folder, options, token)
  }

  func begin(_ history: MetricsHistory, _ starts: [RunStart]) {
    shared.withLock { $0 = Shared(history: history, starts: starts) }
  }

  func add(_ line: MetricsFile.Line) { shared.withLock { $0.history.add(line) } }

  /// From now on pages tell that the run has ended. Whether anybody will ask again.
  func end(_ ending: String) -> Bool {
    shared.withLock { $0.ending = ending }
    return cache.withLock { cached in
      defer { cached = nil }
      return cached.map { ContinuousClock.now - $0.time < .seconds(2 * Self.renewal) } ?? false
    }
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
    cache.withLock { cached in
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
    let metrics = Metrics(
      totalSteps: starts.last?.totalSteps, steps: history.steps, samples: history.samples, seconds: history.seconds,
      bestAccuracy: history.best?.accuracy, last: history.last)
    guard let body = try? JSONText.line(metrics) else { return .refusal(404, "A number is not finite.") }
    return DashboardResponse(type: "application/json", body: body)
  }
}
