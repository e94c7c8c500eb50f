import Datasets
import Files
import Testing

/// What a batch holds for a teacher: the student's pictures at another side.
@Suite(.timeLimit(.minutes(2))) struct TeacherImagesTests {
  private static let side = 16
  private let folder = TestFolder.faces(people: 3, images: 4, side: 40)

  /// Calls `body` with each batch of two epochs.
  private func read(
    teacherSide: Int?, _ augmentation: Augmentation = .standard,
    _ body: (Batch, _ transform: (_ position: Int) -> PixelTransform) throws -> Void
  ) throws {
    let order = DataOrder(sampleCount: 12, batchSize: 5, rankCount: 1, seed: 3)
    let loader = BatchLoader(
      try ImageFolder(root: folder.path), order: order, rank: 0, side: Self.side, augmentation: augmentation,
      workers: 2, teacherSide: teacherSide)
    loader.start()
    defer { loader.stop() }
    for _ in 0..<(2 * order.stepsPerEpoch) {
      let batch = try loader.next()
      let wanted = order.samples(epoch: batch.epoch, step: order.position(ofStep: batch.step).stepInEpoch)
      try body(batch) {
        augmentation.transform(seed: 3, epoch: batch.epoch, sample: Int(wanted[$0]), side: Self.side)
      }
    }
  }

  private func images(teacherSide: Int?) throws -> [Float] {
    var images: [Float] = []
    try read(teacherSide: teacherSide) { batch, _ in images += batch.images }
    return images
  }

  @Test func sameSideIsTheSameMemory() throws {
    let alone = try images(teacherSide: nil)
    #expect(try images(teacherSide: Self.side) == alone && images(teacherSide: 24) == alone)
    try read(teacherSide: Self.side) { batch, _ in
      #expect(batch.teacherImages.baseAddress == batch.images.baseAddress)
      #expect(batch.teacherImages.count == batch.images.count && batch.count > 0)
    }
    try read(teacherSide: nil) { batch, _ in #expect(batch.teacherImages.isEmpty) }
  }

  /// Smaller, larger, and that of the file, which is not resized.
  @Test(arguments: [8, 24, 40]) func otherSideIsTheScaledTransform(teacherSide: Int) throws {
    let reader = SampleReader(try ImageFolder(root: folder.path), side: teacherSide)
    let size = 3 * teacherSide * teacherSide
    try read(teacherSide: teacherSide) { batch, transform in
      #expect(batch.teacherImages.count == batch.count * size)
      for position in 0..<batch.count {
        var planes = [Float](repeating: 0, count: size)
        let scaled = transform(position).scaled(from: Self.side, to: teacherSide)
        try reader.read(Int(batch.samples[position]), scaled, to: &planes)
        #expect(Array(batch.teacherImages[(position * size)..<((position + 1) * size)]) == planes)
      }
    }
  }

  @Test(arguments: [Augmentation.none, .flip, .standard]) func flagsAreTheTransforms(augmentation: Augmentation) throws
  {
    var flags: Set<Bool> = []
    try read(teacherSide: nil, augmentation) { batch, transform in
      #expect(Array(batch.isMirrored) == (0..<batch.count).map { transform($0).isMirrored })
      flags.formUnion(batch.isMirrored)
    }
    #expect(flags == (augmentation == .none ? [false] : [false, true]))
  }

  /// The picture of the one that stands in, under the transform of the one wanted.
  @Test func replacedSamples() throws {
    folder.write([], "person-1/1.jpg")
    folder.write([], "person-1/2.jpg")
    let reader = SampleReader(try ImageFolder(root: folder.path), side: 24)
    let size = 3 * 24 * 24
    var replaced = 0
    try read(teacherSide: 24) { batch, transform in
      for position in 0..<batch.count where batch.samples[position] == 7 {
        replaced += 1
        var planes = [Float](repeating: 0, count: size)
        try reader.read(7, transform(position).scaled(from: Self.side, to: 24), to: &planes)
        #expect(Array(batch.teacherImages[(position * size)..<((position + 1) * size)]) == planes)
        #expect(batch.isMirrored[position] == transform(position).isMirrored)
      }
    }
    #expect(replaced == 6)
  }

  @Test func evaluationHasNone() throws {
    let reader = ImageReader(
      try ImageFolder(root: folder.path), samples: [0, 5], batchSize: 2, side: Self.side, workers: 1)
    let batch = try #require(try reader.next())
    #expect(batch.teacherImages.isEmpty && Array(batch.isMirrored) == [false, false])
  }

  @Test func scaledShifts() {
    var transform = PixelTransform()
    (transform.right, transform.down, transform.contrast, transform.isMirrored) = (7, -6, 1.1, true)
    let larger = transform.scaled(from: 112, to: 128)
    #expect(larger.right == 8 && larger.down == -7 && larger.contrast == 1.1 && larger.isMirrored)
    #expect(transform.scaled(from: 112, to: 112) == transform)
    #expect(transform.scaled(from: 8, to: 4).right == 3 && transform.scaled(from: 112, to: 1).down == 0)
  }
}
