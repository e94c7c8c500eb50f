import Foundation
import Testing
import Training

@Suite struct TraceStepsTests {
  @Test func ranges() throws {
    let steps = try #require(TraceSteps("20..29"))
    #expect(steps.contains(20) && steps.contains(29) && !steps.contains(19) && !steps.contains(30))
    #expect(steps.count == 10 && steps.description == "20..29")
    #expect(TraceSteps("7")?.count == 1)
    #expect(TraceSteps(afterStartAt: 100) == TraceSteps("103..112"))
  }

  @Test(arguments: ["", "..", "3..", "..4", "5..4", "-1..4", "1..2..3", "a..b", "1...4", "1.5..3"])
  func refusals(_ text: String) { #expect(TraceSteps(text) == nil) }

  @Test func json() throws {
    let steps = [try #require(TraceSteps("3..12"))]
    let text = try JSONEncoder().encode(steps)
    #expect(String(decoding: text, as: UTF8.self) == #"["3..12"]"#)
    #expect(try JSONDecoder().decode([TraceSteps].self, from: text) == steps)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode([TraceSteps].self, from: Data(#"["x"]"#.utf8)) }
  }
}
