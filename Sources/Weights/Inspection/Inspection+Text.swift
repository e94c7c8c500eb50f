import Foundation

extension Inspection: CustomStringConvertible {
  /// The tensors one by one, or counts of them.
  package func text(listsTensors: Bool) -> String {
    var lines = ["\(title) \(path)"]
    func row(_ name: String, _ value: String?) {
      if let value { lines.append("  " + name.padding(toLength: 15, withPad: " ", startingAt: 0) + value) }
    }
    row("verdict", verdict)
    for problem in damage { row("damage", problem.description) }
    checkpointRows(row)
    row("written", written.map { "\($0) by \(program ?? "an unknown program")" })
    modelRows(row)
    if let state { stateRows(state, row) }
    for file in files {
      row("file", "\(file.name): \(file.tensors.count) tensors, \(Self.size(file.bytes))")
      guard listsTensors else { continue }
      for tensor in file.tensors {
        let verdict = tensor.isWhole.map { $0 ? "  ok" : "  DAMAGED" } ?? ""
        lines.append("    \(tensor.digest)  \(tensor.type) \(tensor.shape)  \(tensor.name)\(verdict)")
      }
    }
    return lines.joined(separator: "\n")
  }

  package var description: String { text(listsTensors: false) }

  private var title: String {
    switch kind {
    case .run: "run"
    case .checkpoint: "checkpoint"
    case .weights: "weight file"
    }
  }

  private var verdict: String {
    let bad = checkpoints?.count { !$0.isWhole } ?? 0
    if !isWhole { return bad > 0 && damage.isEmpty ? "\(bad) damaged checkpoints" : "DAMAGED" }
    switch kind {
    case .run: return "whole"
    case .checkpoint: return "whole: every digest holds"
    case .weights:
      return files.first?.tensors.first?.isWhole == true
        ? "whole: every digest holds" : "well formed; nothing says which bytes were written"
    }
  }

  private func checkpointRows(_ row: (String, String?) -> Void) {
    for member in checkpoints ?? [] {
      row("checkpoint", member.name + (member.isWhole ? "  whole" : "  DAMAGED"))
      for problem in member.damage.prefix(4) { row("", "  \(problem)") }
    }
    for name in setAside ?? [] { row("set aside", name) }
    if kind == .run && checkpoints?.isEmpty == true { row("checkpoints", "none") }
  }

  private func modelRows(_ row: (String, String?) -> Void) {
    guard let model else { return }
    row("network", "\(model.network), embedding \(model.embeddingWidth), input \(model.inputSide) x \(model.inputSide)")
    row("classes", "\(model.classCount)")
    if state == nil { row("step", "\(model.step)") }
  }

  private func stateRows(_ state: CheckpointState, _ row: (String, String?) -> Void) {
    row("step", "\(state.step) of \(state.totalSteps); next: epoch \(state.epoch), step \(state.stepInEpoch) in it")
    row("scale", "\(state.classScale.value) (norm of the class weight's rows)")
    row(
      "batch", "\(state.globalBatchSize) samples a step on \(state.rankCount) ranks of \(state.threadsPerRank) threads")
    row("kernels", state.kernels)
    row("libraries", state.libraries?.sorted { $0.key < $1.key }.map { "\($0) \($1)" }.joined(separator: ", "))
    row("seed", "\(state.seed)")
    row("data", "fingerprint \(state.dataFingerprint)")
    row("class names", "digest \(state.classNamesDigest)")
    row("best", state.best.map { "accuracy \($0.accuracy) after step \($0.step)" })
    guard case .object(let options) = state.configuration else { return row("configuration", state.configuration.text) }
    for (name, value) in options.sorted(by: { $0.key < $1.key }) { row("option", "\(name) = \(value.text)") }
  }

  /// "4.1 MB"
  private static func size(_ bytes: Int) -> String {
    let units = ["bytes", "KB", "MB", "GB", "TB"]
    var (value, unit) = (Double(bytes), 0)
    while value >= 1000 && unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    return unit == 0 ? "\(bytes) bytes" : String(format: "%.1f ", value) + units[unit]
  }
}
