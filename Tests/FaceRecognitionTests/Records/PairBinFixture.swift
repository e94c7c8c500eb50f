import Datasets
import Evaluation

/// A .bin as InsightFace writes it: a pickle of (list of images, list of booleans).
enum PairBinFixture {
  /// Pairs of both kinds in turns, so that every fold has some of each.
  static func pairs(of source: ImageFolder, count: Int) -> [FacePair] {
    let pairs = PairSelection(labels: (0..<source.count).map(source.label)).balancedSample(count: count, seed: 3)
    return (0..<count / 2).flatMap { [pairs[$0], pairs[count / 2 + $0]] }
  }

  static func bytes(of source: ImageFolder, _ pairs: [FacePair]) throws -> [UInt8] {
    var pickle: [UInt8] = [0x80, 4, 0x28]
    for sample in pairs.flatMap({ [$0.first, $0.second] }) {
      let image = try source.encodedImage(of: sample)
      pickle += [0x42] + withUnsafeBytes(of: UInt32(image.count).littleEndian, Array.init) + image
    }
    return pickle + [0x6C, 0x28] + pairs.map { $0.same ? 0x88 : 0x89 } + [0x6C, 0x86, 0x2E]
  }
}
