import Files
import Foundation
import Reports
import Testing
import Training

/// Pages of runs that this test makes up.
struct ReportPageTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func line(_ step: Int, loss: Double, accuracy: Double? = nil) -> String {
    let more = accuracy.map { ",\"validations\":[{\"set\":\"lfw\",\"accuracy\":\($0),\"areaUnderCurve\":0.75}]" } ?? ""
    return
      "{\"badImages\":0,\"classWeightNorm\":1.5,\"communicationShare\":0.125,\"dataSeconds\":0.25,\"epoch\":0,\"imagesPerSecond\":32.5,"
      + "\"learningRate\":0.0375,\"loss\":\(loss),\"samples\":16,\"scale\":48.25,\"seconds\":0.5,\"step\":\(step)\(more)}"
  }

  /// A run's folder of `lines` and options.
  private func run(_ name: String, _ lines: [String], options: String = #"{"margin":0.35,"network":"iresnet18"}"#)
    throws
    -> RunFolder
  {
    try folder.write(Data((lines.joined(separator: "\n") + "\n").utf8), to: "\(name)/metrics.jsonl")
    try folder.write(Data(options.utf8), to: "\(name)/configuration.json")
    return RunFolder(folder[name])
  }

  private func page(_ folders: RunFolder...) throws -> String {
    let records = try folders.map { try RunRecord(folder: $0) }
    return ReportPage(records, evaluations: records.map { _ in nil }).html
  }

  /// Every start tag has its end, in the right order.
  private func expectWellFormed(_ html: String, sourceLocation: SourceLocation = #_sourceLocation) {
    var open: [String] = []
    let void: Set = ["meta", "link", "img", "!doctype"]
    for tag in html.matches(of: /<(\/?)([a-z0-9!]+)[^>]*?(\/?)>/) {
      let name = String(tag.2)
      if !tag.1.isEmpty {
        #expect(open.popLast() == name, "</\(name)> after \(open)", sourceLocation: sourceLocation)
      } else if tag.3.isEmpty, !void.contains(name) {
        open.append(name)
      }
    }
    #expect(open.isEmpty, "\(open) have no end", sourceLocation: sourceLocation)
  }

  @Test func figuresOfTheFiles() throws {
    let html = try page(
      run("first", [line(0, loss: 9.25), line(1, loss: 7.5, accuracy: 0.8125), line(2, loss: 7.0625)]))
    for text in [
      "7.0625", "48.25", "1.5000", "32.0", "81.25 %", "iresnet18", "at step 1",
      "from 7.0625 to 9.25, at the end 7.0625.",
      "0.0375", "50.00 %",
    ] {
      #expect(html.contains(text), "\(text)")
    }
    // The table under the curve has each step's value.
    #expect(html.contains("<th scope=\"row\">0</th><td>9.25</td><td>9.25</td><td>9.25</td>"))
    expectWellFormed(html)
  }

  /// Runs of different speed are compared by time.
  @Test func accuracyIsShownOverMinutes() throws {
    func validated(_ step: Int, seconds: Double, accuracy: Double) -> String {
      line(step, loss: 9, accuracy: accuracy).replacing("\"seconds\":0.5", with: "\"seconds\":\(seconds)")
    }
    let fast = try run("fast", [validated(0, seconds: 90, accuracy: 0.75), validated(1, seconds: 90, accuracy: 0.875)])
    let slow = try run("slow", [validated(0, seconds: 450, accuracy: 0.75)])
    let html = try page(fast, slow)
    #expect(html.contains("id=\"chart-accuracyOverMinutes-title\""))
    for row in ["fast, 1.5</th><td>75</td>", "fast, 3.0</th><td>87.5</td>", "slow, 7.5</th><td>75</td>"] {
      #expect(html.contains(row), "\(row)")
    }
    #expect(html.contains(">minutes<"))
    expectWellFormed(html)
    #expect(try !page(run("none", [line(0, loss: 9)])).contains("accuracyOverMinutes"))
  }

  @Test func nothingIsLoadedFromElsewhere() throws {
    let html = try page(run("first", [line(0, loss: 9.25)]))
    #expect(html.contains("default-src 'none'"))
    for text in ["http://", "https://", "//cdn", "@import", "url(", "<script"] {
      #expect(!html.contains(text), "\(text)")
    }
    // Every picture says what it shows.
    let pictures = html.matches(of: /<svg[^>]*>/).map { String($0.0) }
    #expect(pictures.count >= 5)
    for picture in pictures { #expect(picture.contains("aria-"), "\(picture)") }
  }

  @Test func brokenLinesAreNamedAndLeftOut() throws {
    let cut = String(line(4, loss: 5).prefix(40))
    let lines = [
      line(0, loss: 9), "not JSON at all", line(1, loss: 8), line(1, loss: 3), "{\"step\":2}",
      line(3, loss: 7).replacing("\"loss\":7.0", with: "\"loss\":\"seven\""), line(3, loss: 6),
    ]
    let folder = try run("broken", lines)
    let handle = try #require(FileHandle(forWritingAtPath: folder.metrics))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(cut.utf8))
    try handle.close()
    let history = try MetricsHistory(path: folder.metrics)
    #expect(history.damaged.map(\.line) == [2, 4, 5, 6, 8])
    #expect(history.steps == 3)
    let html = try page(folder)
    for text in [
      "5 lines that are left out", "line 2: it is no JSON", "line 4: step 1 comes after step 1", "line 5: it has no",
      "line 6: &#39;loss&#39; is of another type", "line 8: the file ends in the middle of it",
    ] {
      #expect(html.contains(text), "\(text)")
    }
  }

  @Test func hostileNamesStayText() throws {
    let script = "<script>alert(1)</script>"
    // A mark that joins the quote to one character would pass an escape by characters.
    let quote = "x\"\u{301} onmouseover=alert(1) y='\u{301}<img src=x onerror=alert(1)>"
    let options = try JSONSerialization.data(withJSONObject: ["data": script, "output": quote, script: quote])
    let html = try page(
      run("<b>run & \"co\"", [line(0, loss: 9)], options: String(decoding: options, as: UTF8.self)))
    for text in ["<script", "<b>run", "<img", "\"\u{301}", "'\u{301}"] {
      #expect(html.unicodeScalars.firstRange(of: Array(text.unicodeScalars)) == nil, "\(text)")
    }
    #expect(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
    #expect(html.contains("&lt;b&gt;run &amp; &quot;co&quot;"))
    expectWellFormed(html)
  }

  @Test func runsSideBySide() throws {
    let first = try run("first", [line(0, loss: 9), line(1, loss: 8)])
    let second = try run(
      "second", [line(0, loss: 7), line(1, loss: 6.125)], options: #"{"margin":0.4,"network":"iresnet18"}"#)
    let html = try page(first, second)
    for text in ["first and second", "first: loss", "second: loss", "8.0000", "6.1250"] {
      #expect(html.contains(text), "\(text)")
    }
    let all = html.matches(of: /<tr( class="different")?><th scope="row">(--margin|--network)[ <]/)
    #expect(all.map { "\($0.2) \($0.1 != nil)" } == ["--margin true", "--network false"])
    expectWellFormed(html)
  }

  /// As on the command line; what an older program did not know has its default, and differs from no default.
  @Test func optionsAreThoseOfTheCommandLine() throws {
    var options = TrainingOptions(data: ["faces", "more"], output: "runs/first")
    (options.batchSize, options.length, options.nesterov, options.tensorboard) = (24, .epochs(2.5), true, false)
    var members = try options.values()
    for name in ["keep", "nesterov", "warmup", "freeze"] { members[name] = nil }
    members["ofAnother"] = .string("program")
    let old = try run("old", [line(0, loss: 9)], options: JSONValue.object(members).text)
    (options.length, options.nesterov) = (.steps(7), false)
    let new = try run("new", [line(0, loss: 9)], options: JSONValue(encoding: options).text)
    let html = try page(old, new)
    for row in [
      "--batch-size</th><td>24</td><td>24</td>", "--data</th><td>faces more</td><td>faces more</td>",
      "--epochs <span class=\"tag\">differs</span></th><td>2.5</td><td>-</td>",
      "--steps <span class=\"tag\">differs</span></th><td>-</td><td>7</td>",
      "--tensorboard</th><td>no</td><td>no</td>", "--keep</th><td>3</td><td>3</td>",
      "ofAnother <span class=\"tag\">differs</span></th><td>program</td><td>-</td>",
    ] {
      #expect(html.contains(row), "\(row)")
    }
    for name in ["--nesterov", "--freeze", "--length", "batchSize", "--milestones"] {
      #expect(!html.contains("<th scope=\"row\">\(name)"), "\(name)")
    }
    expectWellFormed(html)
  }

  /// Each start of a resumed run has its column, and versions that changed between them are marked.
  @Test func startsOfAResumedRun() throws {
    let folder = try run("resumed", [line(0, loss: 9)])
    let starts = [(0, "2.6.2"), (40, "2.6.3"), (80, "2.6.3")].map { step, version in
      #"{"cores":2,"date":"2026-11-30T11:08:15Z","firstStep":\#(step),"globalBatchSize":16,"hosts":{"node":2},"#
        + #""images":160,"libraries":{"Open MPI":"4.1.4","oneDNN":"\#(version)"},"memoryBytes":1000000000,"#
        + #""parameters":1000,"people":9,"processor":"one","program":"cosface 0.0.9","ranks":2,"readersPerRank":1,"#
        + #""stepsPerEpoch":10,"system":"Debian","threadsPerRank":1,"totalSteps":100}"#
    }
    try self.folder.write(Data(starts.joined(separator: "\n").utf8), to: "resumed/starts.jsonl")
    let html = try page(folder)
    for row in [
      "<th scope=\"col\">start 1</th><th scope=\"col\">start 2</th><th scope=\"col\">start 3</th>",
      "from step</th><td>0</td><td>40</td><td>80</td>",
      "oneDNN <span class=\"tag\">differs</span></th><td>2.6.2</td><td>2.6.3</td><td>2.6.3</td>",
      "Open MPI</th><td>4.1.4</td><td>4.1.4</td><td>4.1.4</td>", "1 of 100 steps, 160 images of 9 people",
    ] {
      #expect(html.contains(row), "\(row)")
    }
    // What made the page.
    for library in LibraryVersion.all { #expect(html.contains(", \(library.name) \(library.loaded)")) }
  }

  /// A bar of the step's time says what its colors are.
  @Test func timeHasALegend() throws {
    let html = try page(run("first", [line(0, loss: 9), line(1, loss: 8)]))
    let legend = html.matches(of: /<rect class="bar (c[0-9])" width="12" height="12"\/><\/svg>([^<]*)<\/li>/)
    #expect(
      legend.map { "\($0.1) \($0.2)" } == [
        "c0 computing 37.50 %", "c1 waiting for images 50.00 %", "c2 communication that is not hidden 12.50 %",
      ])
    let parts = html.matches(of: /<rect class="bar c[0-9]" x="([0-9.]+)" y="0" width="([0-9.]+)"/)
    #expect(parts.map { "\($0.1) \($0.2)" } == ["0.0 150.0", "150.0 200.0", "350.0 50.0"])
  }

  /// A run without labels has no logits; a run that has a teacher shows how near it comes; a rank alone waits for none.
  @Test func chartsOfWhatARunHas() throws {
    let taught = line(0, loss: 0.5).replacing("\"communicationShare\":0.125", with: "\"communicationShare\":0")
      .replacing("\"badImages\":0", with: "\"badImages\":0,\"teacherCosine\":0.625")
    let html = try page(run("taught", [taught], options: #"{"labels":false}"#))
    #expect(html.contains("id=\"chart-teacherCosine-title\"") && html.contains("<b>0.6250</b>"))
    for chart in ["chart-scale", "chart-communicationShare"] { #expect(!html.contains(chart), "\(chart)") }
    #expect(!html.contains("scale of the logits"))
    let other = try page(run("other", [line(0, loss: 9)]))
    for chart in ["chart-scale", "chart-communicationShare"] { #expect(other.contains(chart), "\(chart)") }
    #expect(!other.contains("chart-teacherCosine"))
  }

  @Test func aMillionStepsMakeASmallPage() throws {
    var history = MetricsHistory()
    let decoder = JSONDecoder()
    var made = try decoder.decode(MetricsFile.Line.self, from: Data(line(0, loss: 9).utf8))
    for step in 0..<200_000 {
      (made.step, made.loss) = (step, Double(step % 1000))
      history.add(made)
    }
    for curve in history.curves.values { #expect(curve.pieces.count <= Curve.capacity) }
    let sample = (0..<5000).map { line($0, loss: Double($0 % 100)) }
    #expect(try page(run("long", sample)).utf8.count < 500_000)
  }

  @Test func aFolderWithoutARun() throws {
    try folder.write(to: "empty/file")
    #expect(throws: ReportError("\(folder["empty"]) holds no run: there is no \(folder["empty"])/metrics.jsonl")) {
      try RunRecord(folder: RunFolder(folder["empty"]))
    }
  }
}
