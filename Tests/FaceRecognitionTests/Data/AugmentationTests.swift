import Datasets
import Testing

@Suite struct AugmentationTests {
  private let side = 10
  private let picture = Picture(width: 10, height: 10) { x, y, channel in UInt8(2 * x + 20 * y + 10 * channel) }

  private func render(_ transform: PixelTransform) -> [Float] {
    var planes = [Float](repeating: .nan, count: 3 * side * side)
    transform.render(picture.pixels, side: side, to: &planes)
    return planes
  }

  private func value(_ x: Int, _ y: Int, _ channel: Int) -> Float {
    (Float(picture.pixels[3 * (side * y + x) + channel]) - 127.5) / 127.5
  }

  private func expected(_ value: (_ x: Int, _ y: Int, _ channel: Int) -> Float) -> [Float] {
    (0..<3).flatMap { channel in (0..<side).flatMap { y in (0..<side).map { x in value(x, y, channel) } } }
  }

  @Test func noneIsExact() {
    let transform = Augmentation.none.transform(seed: 1, epoch: 2, sample: 3, side: side)
    #expect(transform == PixelTransform())
    #expect(render(transform) == expected { value($0, $1, $2) })
  }

  @Test func flipIsExactAndHalfTheTime() {
    var mirrored = PixelTransform()
    mirrored.isMirrored = true
    #expect(render(mirrored) == expected { value(9 - $0, $1, $2) })
    var twice = render(mirrored)
    PixelTransform.mirror(&twice, count: 1, side: side)
    #expect(twice == render(PixelTransform()))
    let transforms = (0..<4000).map { Augmentation.flip.transform(seed: 1, epoch: 0, sample: $0, side: side) }
    #expect(transforms.allSatisfy { $0 == mirrored || $0 == PixelTransform() })
    // Standard deviation 32.
    #expect((1840...2160).contains(transforms.count(where: \.isMirrored)))
  }

  @Test func shiftRepeatsTheEdge() {
    var transform = PixelTransform()
    (transform.right, transform.down) = (3, -2)
    #expect(render(transform) == expected { value(max($0 - 3, 0), min($1 + 2, 9), $2) })
    transform.isMirrored = true
    #expect(render(transform) == expected { value(9 - max($0 - 3, 0), min($1 + 2, 9), $2) })
  }

  @Test func contrastAndBrightnessStayInRange() {
    var transform = PixelTransform()
    (transform.contrast, transform.brightness) = (1.2, -0.15)
    #expect(render(transform) == expected { min(max(1.2 * value($0, $1, $2) - 0.15, -1), 1) })
    #expect(render(transform).contains(-1))
  }

  /// Half as strong, the same draws move half as far.
  @Test func strength() {
    for sample in 0..<200 {
      let whole = Augmentation.standard.transform(seed: 7, epoch: 1, sample: sample, side: 112)
      let half = Augmentation.standard.transform(seed: 7, epoch: 1, sample: sample, side: 112, strength: 0.5)
      #expect(abs(half.right) <= 3 && abs(half.down) <= 3 && half.isMirrored == whole.isMirrored)
      #expect(abs(2 * (half.contrast - 1) - (whole.contrast - 1)) < 1e-6)
      #expect(abs(2 * half.brightness - whole.brightness) < 1e-6)
    }
    let shifts = (0..<2000).map {
      Augmentation.standard.transform(seed: 7, epoch: 1, sample: $0, side: 112, strength: 0.5).right
    }
    #expect(Set(shifts) == Set(-3...3))
  }

  @Test func standardCoversItsRanges() {
    let transforms = (0..<5000).map { Augmentation.standard.transform(seed: 7, epoch: 1, sample: $0, side: 112) }
    #expect(Set(transforms.map(\.right)) == Set(-7...7) && Set(transforms.map(\.down)) == Set(-7...7))
    #expect(transforms.allSatisfy { Augmentation.contrasts.contains($0.contrast) && abs($0.brightness) <= 0.2 })
    let brightness = transforms.reduce(0) { $0 + Double($1.brightness) } / 5000
    let contrast = transforms.reduce(0) { $0 + Double($1.contrast) } / 5000
    // Uniform in +-0.2: standard deviation of the mean 0.2 / sqrt(3 * 5000) = 0.0016.
    #expect(abs(brightness) < 0.007 && abs(contrast - 1) < 0.007)
  }

  @Test func dependsOnSeedEpochAndSampleOnly() {
    func transform(_ seed: UInt64, _ epoch: Int, _ sample: Int) -> PixelTransform {
      Augmentation.standard.transform(seed: seed, epoch: epoch, sample: sample, side: 112)
    }
    #expect(transform(1, 2, 3) == transform(1, 2, 3))
    for other in [transform(2, 2, 3), transform(1, 3, 3), transform(1, 2, 4), transform(1, 3, 2)] {
      #expect(other != transform(1, 2, 3))
    }
  }
}
