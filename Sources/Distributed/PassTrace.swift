package import NeuralNetwork

/// Records each chain of layers of one pass.
package final class PassTrace: PassObserver {
  private let recorder: TraceRecorder
  /// Kept, so that no other pass can take its place in memory, and its names.
  private let pass: Pass
  private let forward: [Int]
  private let backward: [Int]
  private var start: Int64 = 0

  init(_ pass: Pass, _ recorder: TraceRecorder) {
    self.pass = pass
    self.recorder = recorder
    forward = pass.chainNames(.forward).map { recorder.intern($0, category: "forward") }
    backward = pass.chainNames(.backward).map { recorder.intern($0, category: "backward") }
  }

  package func begins(chain: Int, _ stage: PassStage) { start = recorder.now }

  package func ends(chain: Int, _ stage: PassStage) {
    recorder.span(name: stage == .forward ? forward[chain] : backward[chain], from: start)
  }
}
