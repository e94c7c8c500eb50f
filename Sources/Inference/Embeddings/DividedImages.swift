package import Datasets
import Files
import VectorKernels

/// Images divided among ranks, each turned into a vector by one of them.
///
/// What is divided are whole blocks of consecutive images, each read and computed together. A vector depends on its image
/// alone (the network's `RowProduct` sees to that), so equal images tie, and any division gives the same bytes.
package struct DividedImages {
  let source: any ImageSource
  /// Ascending.
  let samples: [Int]
  /// Images that are read, and computed, together.
  let blockSize: Int
  /// Side of the images in pixels.
  let side: Int
  /// Threads per rank that read and decode.
  let workers: Int
  let group: any EmbeddingGroup

  /// Computes the rows (M, K) of a batch of M.
  typealias Compute = (Batch, UnsafeMutableBufferPointer<Float>) -> Void

  /// The vectors of all images, gathered to all ranks, which call it with the same values.
  ///
  /// - Throws: the same `EvaluationError` on every rank where more than `badImageLimit` images cannot be read, or all.
  func embeddings(width: Int, flip: FlipTest, badImageLimit: Int, _ compute: Compute) throws -> Embeddings {
    let own = share(group.rank)
    var values = [Float](repeating: 0, count: own.count * width)
    let isFlipped = flip != .none
    var flipped = isFlipped ? values : []
    var badImages = try read(badImageLimit: badImageLimit) { batch, place in
      let rows = (place * width)..<((place + batch.count) * width)
      values.withUnsafeMutableBufferPointer { compute(batch, .init(rebasing: $0[rows])) }
      guard isFlipped else { return }
      batch.mirror()
      flipped.withUnsafeMutableBufferPointer { compute(batch, .init(rebasing: $0[rows])) }
    }
    badImages = try group.join(badImages)
    try check(badImages, limit: badImageLimit)

    let elements = (0..<group.size).map { share($0).count * width }
    values = try group.gather(values, counts: elements)
    if isFlipped { flipped = try group.gather(flipped, counts: elements) }
    let bad = Set(badImages.map(\.sample))
    return Embeddings(
      samples: bad.isEmpty ? samples : samples.filter { !bad.contains($0) },
      values: readable(values, width, bad), flipped: isFlipped ? readable(flipped, width, bad) : nil, flip: flip,
      width: width, badImages: badImages)
  }

  /// The vectors ready to be compared, each on the rank that computed it and nowhere else.
  ///
  /// - Throws: the same `EvaluationError` on every rank: as above, and for an image whose embedding is zero or not finite.
  func table(width: Int, flip: FlipTest, badImageLimit: Int, _ compute: Compute) throws -> DividedTable {
    let own = share(group.rank)
    var table = EmbeddingTable(capacity: own.count, combination: flip, width: width)
    let scratch = (0..<2).map { _ in AlignedMemory(count: blockSize * width) }
    defer { withExtendedLifetime(scratch) {} }
    let (plain, mirrored) = (scratch[0].elements, scratch[1].elements)
    var failure: EvaluationError?
    let badImages = try group.join(
      read(badImageLimit: badImageLimit) { batch, place in
        let count = batch.count * width
        let bad = Set(batch.badImages.map(\.sample))
        compute(batch, .init(rebasing: plain[..<count]))
        if flip != .none {
          batch.mirror()
          compute(batch, .init(rebasing: mirrored[..<count]))
        }
        for row in 0..<batch.count where failure == nil {
          let sample = samples[own.lowerBound + place + row]
          guard !bad.contains(sample) else { continue }
          let range = (row * width)..<((row + 1) * width)
          do throws(EvaluationError) {
            try table.append(
              .init(rebasing: plain[range]), flip == .none ? nil : .init(rebasing: mirrored[range])
            ) { source.identifier(of: sample).printableName }
          } catch {
            failure = error
          }
        }
      })
    try check(badImages, limit: badImageLimit)
    try group.agree(failure)
    return try DividedTable(table, samples: samples, of: source.count, badImages: badImages, group)
  }

  /// Calls `body` with each batch of this rank's share, and the place of its first image there.
  private func read(
    badImageLimit: Int, _ body: (_ batch: Batch, _ place: Int) -> Void
  ) throws -> [BadImage] {
    var badImages: [BadImage] = []
    let reader = ImageReader(
      source, samples: Array(samples[share(group.rank)]), batchSize: blockSize, side: side, workers: workers)
    // Past the limit the result is an error, which all ranks must come to together.
    while badImages.count <= badImageLimit, let batch = try reader.next() {
      Heartbeat.beat()
      badImages += batch.badImages
      body(batch, batch.step * blockSize)
    }
    return badImages
  }

  /// A rank's range of `samples`: whole blocks, but for the last.
  private func share(_ rank: Int) -> Range<Int> {
    let blocks = (samples.count + blockSize - 1) / blockSize
    let share = Share.range(of: blocks, rank, group.size)
    return min(share.lowerBound * blockSize, samples.count)..<min(share.upperBound * blockSize, samples.count)
  }

  private func check(_ badImages: [BadImage], limit: Int) throws(EvaluationError) {
    guard badImages.count > limit || badImages.count == samples.count else { return }
    throw Self.failure(badImages, of: samples.count, limit: limit, source)
  }

  /// Refuses at the start what would end the work later: more images that are not there than may be unreadable.
  ///
  /// - Parameters:
  ///   - absent: those of all the source's images.
  ///   - samples: the images that will be read; nil for all.
  package static func check(
    absent: [BadImage], samples: [Int]? = nil, limit: Int, _ source: any ImageSource
  ) throws(EvaluationError) {
    guard !absent.isEmpty else { return }
    let read = samples.map(Set.init)
    let missing = absent.filter { read?.contains($0.sample) ?? true }
    let count = samples?.count ?? source.count
    guard missing.count > limit || (missing.count == count && count > 0) else { return }
    throw failure(missing, of: count, limit: limit, source)
  }

  private static func failure(
    _ badImages: [BadImage], of count: Int, limit: Int, _ source: any ImageSource
  ) -> EvaluationError {
    let named = badImages.prefix(10).map { "\n  \(source.path(of: $0.sample).printableName): \($0.reason)" }.joined()
    let more = badImages.count > 10 ? "\n  and others" : ""
    return EvaluationError(
      "At least \(badImages.count) of \(count.counted("image")) cannot be read, where \(limit) may be unreadable:"
        + named + more)
  }

  private func readable(_ rows: [Float], _ width: Int, _ bad: Set<Int>) -> [Float] {
    guard !bad.isEmpty else { return rows }
    return samples.indices.filter { !bad.contains(samples[$0]) }.flatMap { rows[($0 * width)..<(($0 + 1) * width)] }
  }
}
