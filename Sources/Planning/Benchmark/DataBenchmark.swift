package import Datasets
import Files

/// Reading, decoding and augmenting the images of a folder, as training does it, with nothing else to do.
package struct DataBenchmark {
  package struct Report: BenchmarkReport {
    package let folder: String
    package let workers: Int
    package let augmentation: String
    package let inputSize: Int
    package let images: Int
    package let badImages: Int
    package let imagesPerSecond: Double
    /// Reading and decoding alone, on one thread; `workers` times this is the limit.
    package let decodedImagesPerSecond: Double
    package let shareOfDecodingRate: Double
    package let peakResidentGB: Double
    package let limits: MachineLimits

    package var lines: [(name: String, value: String)] {
      [
        ("images/s", "\(imagesPerSecond.shown(0)) with \(workers) workers, augmentation \(augmentation)"),
        ("decoding alone", "\(decodedImagesPerSecond.shown(0)) images/s on one thread"),
        ("share reached", "\((100 * shareOfDecodingRate).shown(1)) %"),
        ("images", "\(images), of which \(badImages) could not be read"),
        ("peak memory", "\(peakResidentGB.shown(2)) GB"),
      ] + limits.lines
    }
  }

  package let folder: String
  package var workers = 1
  package var augmentation = Augmentation.standard
  package var inputSide = 112
  package var batchSize = 64
  package var steps = 20

  package init(folder: String) { self.folder = folder }

  package func run() throws -> Report {
    let source = try ImageSet.open(folder)
    let batch = min(batchSize, source.count)
    guard batch > 0 else {
      throw BenchmarkError(
        "--data \(folder.printableName) has no images: give a folder with a folder of images per person.")
    }
    try MemoryNeed.check(
      3 * batch * 3 * inputSide * inputSide * MemoryLayout<Float>.stride, of: "Reading batches like these",
      remedy: "--batch-size or --input-size")
    let order = DataOrder(sampleCount: source.count, batchSize: batch, rankCount: 1, seed: 1)
    let loader = BatchLoader(
      source, order: order, rank: 0, side: inputSide, augmentation: augmentation, workers: workers)
    // One epoch's files come from the page cache in later ones; a warm-up reads those that will be measured.
    loader.start(atStep: 0, endStep: steps)
    for _ in 0..<steps { _ = try loader.next() }
    loader.stop()
    // Measured from a start with empty memory to the last batch: nothing was read ahead of the clock.
    let start = ContinuousClock.now
    loader.start(atStep: 0, endStep: steps)
    var images = 0
    for _ in 0..<steps { images += try loader.next().count }
    let seconds = (ContinuousClock.now - start).seconds
    loader.stop()
    let peak = ResidentMemory.peakGB
    let decoded = try decodingRate(source, order)
    return Report(
      folder: folder, workers: workers, augmentation: augmentation.rawValue, inputSize: inputSide, images: images,
      badImages: loader.badImages.count, imagesPerSecond: Double(images) / seconds, decodedImagesPerSecond: decoded,
      shareOfDecodingRate: Double(images) / seconds / (decoded * Double(workers)), peakResidentGB: peak,
      limits: .measure())
  }

  /// The images of the first epoch's start, those that cannot be read left out.
  private func decodingRate(_ source: any ImageSource, _ order: DataOrder) throws -> Double {
    let decoder = ImageDecoder()
    let scratch = ByteBuffer()
    let samples = order.permutation(epoch: 0).prefix(max(batchSize * steps / 4, 1))
    var count = 0
    let start = ContinuousClock.now
    for sample in samples {
      do {
        try source.withEncodedImage(of: Int(sample), scratch: scratch) { bytes in
          _ = try decoder.decode(bytes, name: source.identifier(of: Int(sample)))
        }
        count += 1
      } catch is DataError {
        continue
      }
    }
    guard count > 0 else {
      throw BenchmarkError("--data \(folder.printableName): none of \(samples.count) images can be read.")
    }
    return Double(count) / (ContinuousClock.now - start).seconds
  }
}
