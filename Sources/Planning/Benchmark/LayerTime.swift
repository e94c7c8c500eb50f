package import NeuralNetwork

/// What a layer took in a step, direction by direction, beside what it would take at the machine's limits.
package struct LayerTime: Codable, Equatable, Sendable {
  package enum Direction: String, Codable, Sendable {
    case forward
    /// The output once more in backward, where it was not kept.
    case forwardAgain
    /// To the input's gradient.
    case backwardData
    /// To the parameters' gradients. Of a batch normalization its sums over the batch, which the input's gradient needs
    /// as well.
    case backwardWeights
    /// To both at once.
    case backward
    /// The optimizer's, which is one pass over all parameters: each layer's part of it by their number.
    case update
    /// Of the class weight: all rows get one norm.
    case renormalize

    init(_ direction: LayerDirection) {
      switch direction {
      case .forward: self = .forward
      case .forwardAgain: self = .forwardAgain
      case .backwardData: self = .backwardData
      case .backwardWeights: self = .backwardWeights
      case .backward: self = .backward
      }
    }
  }

  /// What a direction cannot be faster than.
  package enum Bound: String, Codable, Sendable {
    /// Its operations at the rate of a large matrix product.
    case products
    /// Its bytes at the triad's bandwidth.
    case memory
  }

  package struct Measurement: Codable, Equatable, Sendable {
    package let direction: Direction
    /// The median of the steps.
    package let milliseconds: Double
    package let fastestMilliseconds: Double
    /// Of the step with clocks.
    package var share = 0.0
    /// By the direct sums of products: 2 operations each. nil where there are none.
    package private(set) var gigaflops: Double?
    /// nil where no limit is known.
    package private(set) var limitMilliseconds: Double?
    package private(set) var bound: Bound?
    /// Of all images in the step; 0 where there are none.
    package let operations: Int

    init(_ direction: Direction, _ timing: Timing, operations: Int = 0, bytes: Int?, _ limits: MachineLimits) {
      self.direction = direction
      self.operations = operations
      (milliseconds, fastestMilliseconds) = (1e3 * timing.median, 1e3 * timing.minimum)
      if operations > 0 && timing.median > 0 { gigaflops = Double(operations) / timing.median / 1e9 }
      guard let bytes else { return }
      let products = Double(operations) / limits.gemmGFLOPPerSecond / 1e6
      let memory = Double(bytes) / limits.triadGBPerSecond / 1e6
      (limitMilliseconds, bound) = products > memory ? (products, .products) : (memory, .memory)
    }
  }

  /// As in arcface_torch's state dict.
  package let name: String
  /// Among those of `StepSums.kinds`.
  package let kind: String
  /// All that one pass over memory computes: "3x3/2", "norm+prelu".
  package let computes: String
  /// "64 x 112 x 112", or of features their number.
  package let input: String
  package let output: String
  /// A convolution's.
  package private(set) var kernel: Int?
  package private(set) var stride: Int?
  package private(set) var groups: Int?
  package let parameters: [String]
  package var directions: [Measurement]

  init(_ work: LayerWork, _ directions: [Measurement]) {
    (name, kind, parameters) = (work.name, work.kind.family.rawValue, work.parameters)
    computes = work.kind.parts.joined(separator: "+")
    func text(_ shape: Shape) -> String { shape.positions == 1 ? "\(shape.channels)" : shape.description }
    (input, output) = (text(work.input), text(work.output))
    (kernel, stride, groups) = (work.kind.kernel, work.kind.stride, work.kind.groups)
    self.directions = directions
  }

  /// The class weight: logits of `embedding` features for `rows` classes.
  init(classRows rows: Int, embedding: Int, _ directions: [Measurement]) {
    (name, kind, computes, parameters) = ("class weight", StepSums.classifier, "loss", ["classWeight"])
    (input, output) = ("\(embedding)", "\(rows)")
    self.directions = directions
  }

  var milliseconds: Double { directions.reduce(0) { $0 + $1.milliseconds } }
}

/// Where a step's time goes in all.
package struct StepSums: Codable, Equatable, Sendable {
  package struct Part: Codable, Equatable, Sendable {
    package let name: String
    package let milliseconds: Double
    /// Of the step with clocks.
    package let share: Double
    package var gigaflops: Double?
    package var limitMilliseconds: Double?
  }

  /// Sums of the layers' lines, by kind; the update is a kind of its own.
  package let kinds: [Part]
  /// What belongs to no layer. With `kinds` it adds up to `stepMilliseconds`.
  package let rest: [Part]
  /// The median of the steps with clocks.
  package let stepMilliseconds: Double
  /// The median of those without, each of which was made right before one with clocks.
  package let stepWithoutClocksMilliseconds: Double

  static let classifier = "classifier"
  static let update = "update"

  /// `rest` is completed by what medians fail to add up to.
  init(_ layers: [LayerTime], rest: [(name: String, seconds: Double)], seconds: Double, secondsWithoutClocks: Double) {
    let whole = 1e3 * seconds
    var kinds: [(name: String, measurements: [LayerTime.Measurement])] = []
    func add(_ measurement: LayerTime.Measurement, to kind: String) {
      guard let place = kinds.firstIndex(where: { $0.name == kind }) else { return kinds.append((kind, [measurement])) }
      kinds[place].measurements.append(measurement)
    }
    for layer in layers {
      for measurement in layer.directions {
        add(measurement, to: measurement.direction == .update ? Self.update : layer.kind)
      }
    }
    let order = LayerKind.Family.allCases.map(\.rawValue) + [Self.classifier, Self.update]
    kinds.sort { order.firstIndex(of: $0.name)! < order.firstIndex(of: $1.name)! }
    self.kinds = kinds.map { name, measurements in
      let milliseconds = measurements.reduce(0) { $0 + $1.milliseconds }
      let operations = measurements.reduce(0) { $0 + $1.operations }
      var part = Part(name: name, milliseconds: milliseconds, share: milliseconds / whole)
      if operations > 0 && milliseconds > 0 { part.gigaflops = Double(operations) / milliseconds / 1e6 }
      let limits = measurements.compactMap(\.limitMilliseconds)
      if limits.count == measurements.count { part.limitMilliseconds = limits.reduce(0, +) }
      return part
    }
    var parts = rest.map { Part(name: $0.name, milliseconds: 1e3 * $0.seconds, share: 1e3 * $0.seconds / whole) }
    let left = whole - (self.kinds + parts).reduce(0) { $0 + $1.milliseconds }
    parts.append(Part(name: "medians do not add up", milliseconds: left, share: left / whole))
    self.rest = parts
    (stepMilliseconds, stepWithoutClocksMilliseconds) = (whole, 1e3 * secondsWithoutClocks)
  }
}
