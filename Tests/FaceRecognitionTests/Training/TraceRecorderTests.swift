import Distributed
import Testing

@Suite struct TraceRecorderTests {
  @Test func onlyBetweenBeginAndEnd() {
    let recorder = TraceRecorder(capacity: 10)
    recorder.span(.forward, from: recorder.now)
    #expect(recorder.count == 0 && !recorder.isOn)
    recorder.begin(step: 3)
    recorder.span(.forward, from: recorder.now)
    recorder.span(.backward, from: recorder.now)
    recorder.end()
    recorder.span(.update, from: recorder.now)
    #expect(recorder.count == 2 && recorder.dropped == 0)
  }

  /// What does not fit is counted, not written.
  @Test func memoryIsBounded() {
    let recorder = TraceRecorder(capacity: 3)
    recorder.begin(step: 0)
    for _ in 0..<5 { recorder.span(.update, from: recorder.now) }
    #expect(recorder.count == 3 && recorder.dropped == 2)
  }

  @Test func theClockGoesForward() {
    let recorder = TraceRecorder(capacity: 0)
    let first = recorder.now
    #expect(recorder.now >= first && first > 0)
  }
}
