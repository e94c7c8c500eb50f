import VectorKernels

/// How training images vary from epoch to epoch: a function of (seed, epoch, sample), whatever rank or thread reads them.
public enum Augmentation: String, CaseIterable, Codable, Sendable {
  case none
  /// Every second image is mirrored.
  case flip
  /// Mirrored or not; shifted by up to 6 % of the side each way (a crop of the picture padded with its edge); contrast
  /// times 0.8 ... 1.2; brightness plus or minus up to 0.2 of the half range. All but the first by a strength, here 1.
  case standard

  package static let largestShift: Float = 0.06
  package static let contrasts: ClosedRange<Float> = 0.8...1.2
  package static let largestBrightness: Float = 0.2

  /// What happens to `sample` in `epoch`.
  package func transform(seed: UInt64, epoch: Int, sample: Int, side: Int, strength: Float = 1) -> PixelTransform {
    var result = PixelTransform()
    guard self != .none else { return result }
    var generator = CounterGenerator(seed: seed, purpose: .augmentation, epoch, sample)
    result.isMirrored = generator.below(2) == 1
    guard self == .standard else { return result }
    let reach = Int((Float(side) * Self.largestShift * strength).rounded())
    result.right = generator.below(2 * reach + 1) - reach
    result.down = generator.below(2 * reach + 1) - reach
    result.contrast = generator.uniform(
      1 + strength * (Self.contrasts.lowerBound - 1), 1 + strength * (Self.contrasts.upperBound - 1))
    result.brightness = generator.uniform(-strength * Self.largestBrightness, strength * Self.largestBrightness)
    return result
  }
}
