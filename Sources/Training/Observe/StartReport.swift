import Datasets
import Files
import Foundation
import Inference
import NeuralNetwork

/// What rank 0 says before the first step: who trains what, how much memory each rank takes, what loss to expect.
struct StartReport {
  let options: TrainingOptions
  let step: TrainingStep
  let data: TrainingData
  let placements: [String]
  let totalSteps: Int
  let headSteps: Int
  let memory: MemoryReport
  let teacher: (any Teacher)?

  func lines() -> [String] {
    let network = step.network
    let parameters = network.parameters.parameters.reduce(0) { $0 + $1.count }
    let classWeight = step.classWeight
    let hosts = Dictionary(grouping: placements) { $0 }.map { "\($0.key) (\($0.value.count))" }.sorted()
    let order = data.order
    var lines = [
      "ranks     \(placements.count) on \(hosts.joined(separator: ", ")), \(options.threads) threads and \(options.workers) readers each",
      "network   \(network.name), \(parameters.grouped) parameters, input 3 x \(options.inputSize) x \(options.inputSize), embedding \(network.embeddingWidth)",
      "data      \(data.training.count.grouped) images "
        + (options.labels ? "of \(classWeight.classCount.grouped) people" : "without labels")
        + (data.heldOut.map { "; \($0.count) images of \($0.classNames.count) people held out" } ?? ""),
      "steps     \(totalSteps.grouped) of \(order.globalBatchSize) images, \(order.stepsPerEpoch.grouped) an epoch",
      "rate      " + rateText,
      "memory    " + memoryText + " per rank",
    ]
    if let teacher {
      lines.append("teacher   " + text(of: teacher))
      if !options.labels && teacher.width < network.embeddingWidth {
        lines.append(
          "warning   without labels nobody teaches more than \(teacher.width) of the embedding's \(network.embeddingWidth) "
            + "dimensions: give --embedding \(teacher.width)")
      }
    }
    lines += adaptingLines + absentLines
    return lines + (options.labels ? lossLines : [])
  }

  /// What the margin loss begins with.
  private var lossLines: [String] {
    let classWeight = step.classWeight
    let scale = settings.effective(rowNorm: classWeight.scale)
    let expected = LogitScale.expectedLoss(
      classCount: classWeight.classCount, width: step.network.embeddingWidth, scale: scale,
      margin: step.settings.margin.atChance
    )
    // Directions that know nothing of each other have a cosine of 0.
    var lines = [
      String(
        format: "loss      about %.2f expected at step 0, with the logits' scale ",
        expected + (options.teacherWeight ?? 0))
        + (settings.isFixed ? "fixed at " : "learned from ") + String(format: "%.1f", scale)
    ]
    let bound = LogitScale.lowerBound(classCount: classWeight.classCount)
    if scale < bound {
      lines.append(
        String(
          format: "warning   the scale %.2f is below %.2f, which the paper asks for %d classes (probability 0.9): "
            + "raise --logit-multiplier or --logit-scale", scale, bound, classWeight.classCount))
    }
    return lines
  }

  /// "w600k.onnx, embedding 512 (mapped to by 256 x 512), pictures of 112 x 112; 1 - cosine times 24 in the loss"
  private func text(of teacher: any Teacher) -> String {
    let (width, own) = (teacher.width, step.network.embeddingWidth)
    let names = options.teacher.map { [$0] } ?? options.teacherEmbeddings
    return names.map(\.printableName).joined(separator: ", ") + ", embedding \(width)"
      + (width == own ? "" : " (from \(own) by a linear map)")
      + (teacher.imageSide.map { ", pictures of \($0) x \($0)" } ?? "")
      + String(format: "; 1 - cosine times %.4g in the loss", options.teacherWeight ?? 1)
  }

  /// What is not trained, or not at once.
  private var adaptingLines: [String] {
    let parameters = step.network.parameters.parameters
    var lines: [String] = []
    if !options.freeze.isEmpty {
      let trained = parameters.filter(\.isTrained).reduce(0) { $0 + $1.count }
      lines.append(
        "frozen    \(options.freeze.map(\.printableName).joined(separator: ", ")): "
          + (trained == 0
            ? "of the model the class weight alone is trained"
            : "\(trained.grouped) parameters of the network are trained"))
    }
    if headSteps > 0 {
      lines.append("head      the class weight alone is trained in the first \(headSteps.counted("step"))")
    }
    return lines
  }

  /// In the words that name bad images while training.
  private var absentLines: [String] {
    let (absent, shown) = (data.absent, 20)
    guard !absent.isEmpty else { return [] }
    return absent.prefix(shown).map { "skipped   \($0.identifier): \($0.reason)" }
      + [
        "skipped   \(absent.count.counted("image")) in all, not there; --max-bad-images allows "
          + BadImage.limit(options.maxBadImages, of: data.training.count).grouped
      ]
  }

  /// "0.002 with adamw, after a warm-up of 573 steps, then cosine"
  private var rateText: String {
    guard let rate = options.learningRate, let optimizer = options.optimizer, let warmup = options.warmup else {
      preconditionFailure("A report of options that are not resolved")
    }
    let steps = warmup.steps(perEpoch: data.order.stepsPerEpoch)
    return String(format: "%.3g", rate) + " with \(optimizer.rawValue)"
      + (steps > 0 ? ", after a warm-up of \(steps.counted("step"))" : "") + ", \(options.schedule.rawValue) schedule"
      + factorText
  }

  /// "; the network's times 0.1, fc.* times 2"
  private var factorText: String {
    let factor = options.backboneRateFactor
    let texts =
      (factor == 1 ? [] : ["the network's times \(factor.shown)"])
      + options.rateFactor.map { "\($0.pattern.printableName) times \($0.factor.shown)" }
    return texts.isEmpty ? "" : "; " + texts.joined(separator: ", ")
  }

  private var settings: LogitScale { step.settings.logitScale }

  private var memoryText: String {
    Self.size(memory.totalBytes)
      + " (" + memory.parts.map { "\($0.name) \(Self.size($0.bytes))" }.joined(separator: ", ") + ")"
  }

  private static func size(_ bytes: Int) -> String {
    bytes < 1_000_000_000
      ? String(format: "%.0f MB", Double(bytes) / 1e6) : String(format: "%.2f GB", Double(bytes) / 1e9)
  }
}
