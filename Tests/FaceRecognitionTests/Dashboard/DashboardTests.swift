import Foundation
import Reports
import Testing
import Training

/// The live page by raw requests.
@Suite(.serialized) struct DashboardTests {
  private let dashboard: Dashboard
  private let port: UInt16
  private let token: String?

  private init(host: String) throws {
    let options = TrainingOptions(data: ["<faces>"], output: "runs/<live>")
    dashboard = try Dashboard(
      try #require(DashboardAddress("\(host):0")), RunFolder("runs/<live>"), options)
    let address = try #require(URLComponents(string: dashboard.address))
    port = UInt16(try #require(address.port))
    token = address.queryItems?.first?.value
    dashboard.start(MetricsHistory(), [])
  }

  init() throws { try self.init(host: "127.0.0.1") }

  private func line(_ step: Int, loss: Double) throws -> MetricsFile.Line {
    let json =
      #"{"badImages":0,"classWeightNorm":1.5,"communicationShare":0.25,"dataSeconds":0.25,"epoch":0,"imagesPerSecond":32,"learningRate":0.1,"#
      + #""loss":\#(loss),"samples":16,"scale":48,"seconds":0.5,"step":\#(step)}"#
    return try JSONDecoder().decode(MetricsFile.Line.self, from: Data(json.utf8))
  }

  @Test func servesWhatIsPublished() throws {
    defer { dashboard.stop("over") }
    #expect(token == nil)
    dashboard.publish(try line(0, loss: 7.125))
    dashboard.publish(try line(1, loss: 6.375))
    let page = try DashboardClient.ask(port, "/")
    #expect(page.status == 200 && page.text.contains("6.3750"))
    #expect(page.text.contains("&lt;live&gt;") && !page.text.contains("<live>") && !page.text.contains("<faces>"))
    let policy = try #require(page.text.firstMatch(of: /script-src 'nonce-([0-9a-f]{32})'/))
    #expect(page.text.contains("<script nonce=\"\(policy.1)\">"))
    for header in [
      "default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'", "X-Content-Type-Options: nosniff",
      "Referrer-Policy: no-referrer", "Cache-Control: no-store",
    ] {
      #expect(page.text.contains(header), "\(header)")
    }
    let metrics = try DashboardClient.ask(port, "/metrics.json")
    #expect(metrics.status == 200 && metrics.text.contains("\"loss\":6.375") && metrics.text.contains("\"steps\":2"))
    // The page is made anew, two seconds later.
    dashboard.publish(try line(2, loss: 5.0625))
    Thread.sleep(forTimeInterval: 2.1)
    #expect(try DashboardClient.ask(port, "/").text.contains("5.0625"))
  }

  @Test func whoWatchesSeesTheEnd() throws {
    dashboard.publish(try line(0, loss: 7.125))
    let page = try DashboardClient.ask(port, "/").text
    #expect(page.contains("<main>") && page.contains("while training runs"))
    dashboard.publish(try line(1, loss: 6.375))
    let last = DispatchSemaphore(value: 0)
    let thread = Thread { [dashboard] in
      dashboard.stop("Training is complete.")
      last.signal()
    }
    thread.start()
    Thread.sleep(forTimeInterval: 0.5)
    let end = try DashboardClient.ask(port, "/").text
    #expect(end.contains("<main data-ended>") && end.contains("Training is complete.") && end.contains("6.3750"))
    #expect(!end.contains("while training runs"))
    #expect(last.wait(timeout: .now() + 30) == .success)
  }

  @Test func refusesWhatItDoesNotServe() throws {
    defer { dashboard.stop("over") }
    #expect(try DashboardClient.ask(port, "/etc/passwd").status == 404)
    #expect(try DashboardClient.ask(port, "/../../etc/passwd").status == 404)
    #expect(try DashboardClient.ask(port, "/", method: "POST").status == 405)
    #expect(try DashboardClient.ask(port, "nonsense").status == 400)
    #expect(try DashboardClient.ask(port, "/", headers: ["no header"]).status == 400)
    #expect(
      try DashboardClient.ask(port, "/", headers: ["Host: a", "X: " + String(repeating: "x", count: 9000)]).status
        == 431)
    let head = try DashboardClient.ask(port, "/", method: "HEAD")
    #expect(head.status == 200 && head.text.hasSuffix("\r\n\r\n") && !head.text.contains("<html"))
    // A site whose name was made to point at this machine.
    for host in ["example.org", "127.0.0.1.example.org:80", ""] {
      #expect(try DashboardClient.ask(port, "/", headers: ["Host: \(host)"]).status == 403, "\(host)")
    }
    for host in ["localhost:\(port)", "127.0.0.1:\(port)", "[::1]:\(port)", "127.1.2.3"] {
      #expect(try DashboardClient.ask(port, "/", headers: ["Host: \(host)"]).status == 200, "\(host)")
    }
  }

  @Test func otherAddressesNeedTheToken() throws {
    dashboard.stop("over")
    let open = try DashboardTests(host: "0.0.0.0")
    defer { open.dashboard.stop("over") }
    let token = try #require(open.token)
    #expect(token.count == 32)
    #expect(try DashboardClient.ask(open.port, "/").status == 401)
    #expect(try DashboardClient.ask(open.port, "/metrics.json").status == 401)
    let wrong = String(token.dropLast()) + (token.hasSuffix("0") ? "1" : "0")
    for token in [wrong, "", token + "0", String(token.dropLast())] {
      #expect(try DashboardClient.ask(open.port, "/?token=\(token)").status == 403)
    }
    #expect(try DashboardClient.ask(open.port, "/metrics.json?token=\(token)").status == 200)
    #expect(try DashboardClient.ask(open.port, "/", headers: ["Authorization: Bearer \(token)"]).status == 200)
    #expect(try DashboardClient.ask(open.port, "/?token=\(token)", headers: []).status == 200)
  }

  @Test func manyAtOnceAndSomeWhoNeverAsk() throws {
    defer { dashboard.stop("over") }
    dashboard.publish(try line(0, loss: 7.125))
    // They hold a connection each and say little; others are served beside them.
    let slow = try (0..<40).map { _ in try DashboardClient(port: port) }
    for client in slow { client.send("GET / HTTP/1.1\r\nHo") }
    let clients = try (0..<200).map { _ in try DashboardClient(port: port) }
    for client in clients { client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") }
    let answers = clients.map { $0.receive() }
    #expect(
      answers.filter { $0.hasPrefix("HTTP/1.1 200 OK") && $0.contains("7.1250") && $0.hasSuffix("</html>\n") }.count
        == 200)
    // The slow ones may still end their request.
    slow[0].send("st: localhost\r\n\r\n")
    #expect(slow[0].receive().hasPrefix("HTTP/1.1 200 OK"))
  }

  @Test func aTakenPort() throws {
    defer { dashboard.stop("over") }
    let address = try #require(DashboardAddress("127.0.0.1:\(port)"))
    let error = #expect(throws: DashboardError.self) {
      try Dashboard(address, RunFolder("run"), TrainingOptions(data: [""], output: ""))
    }
    #expect(error?.description.contains("Another program has this port") == true)
  }

  /// Dropped without a word, as when training throws: the thread ends first, whoever asks meanwhile, and the port is free.
  @Test func endsWithItsOwner() throws {
    dashboard.stop("over")
    dashboard.stop("twice")
    let address = try #require(DashboardAddress("127.0.0.1:\(port)"))
    for round in 0..<10 {
      var owned: Dashboard? = try Dashboard(address, RunFolder("run"), TrainingOptions(data: [""], output: ""))
      // One that never answers is dropped, too.
      if round == 5 { continue }
      owned?.start(MetricsHistory(), [])
      let asked = try (0..<20).map { _ in try DashboardClient(port: port) }
      for client in asked { client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") }
      if round % 2 == 0 { #expect(asked[0].receive().hasPrefix("HTTP/1.1 200 OK")) }
      owned = nil
      for client in asked { _ = client.receive() }
    }
  }

  @Test func addresses() throws {
    dashboard.stop("over")
    #expect(DashboardAddress("[::1]:80")?.host == "::1")
    #expect(DashboardAddress("localhost:65535")?.port == 65535)
    for text in ["", "8080", "localhost", ":8080", "localhost:65536", "localhost:-1", "::1:80", "localhost:http"] {
      #expect(DashboardAddress(text) == nil, "\(text)")
    }
    #expect(throws: DashboardError.self) {
      try Dashboard(DashboardAddress("192.0.2.1:80")!, RunFolder("run"), TrainingOptions(data: [""], output: ""))
    }
  }
}
