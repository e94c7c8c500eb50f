import Files
import VectorKernels

/// The memory of one batch of an `ImagePipeline`, made once and filled again and again.
///
/// Fields are guarded by the pipeline's lock, but for the image, label and sample number at a claimed position, which
/// belong to the worker that claimed it.
final class PipelineSlot {
  let side: Int
  let teacherSide: Int?
  private let memory: AlignedMemory
  /// Where a teacher looks at pictures of another side.
  private let teacherMemory: AlignedMemory
  private let mirrored: UnsafeMutableBufferPointer<Bool>
  private let labels: UnsafeMutableBufferPointer<Int32>
  let samples: UnsafeMutableBufferPointer<Int32>

  private(set) var step = -1
  private(set) var epoch = 0
  private(set) var count = 0
  private var repetitions: [Int32] = []
  private var claimed = 0
  private var finished = 0
  private var badImages: [(position: Int, image: BadImage)] = []
  private var failures: [(position: Int, error: DataError)] = []

  init(capacity: Int, side: Int, teacherSide: Int?) {
    (self.side, self.teacherSide) = (side, teacherSide)
    memory = AlignedMemory(count: capacity * 3 * side * side)
    let other = teacherSide == side ? 0 : teacherSide ?? 0
    teacherMemory = AlignedMemory(count: capacity * 3 * other * other)
    mirrored = .allocate(capacity: max(capacity, 1))
    mirrored.initialize(repeating: false)
    labels = .allocate(capacity: max(capacity, 1))
    samples = .allocate(capacity: max(capacity, 1))
    labels.initialize(repeating: 0)
    samples.initialize(repeating: 0)
  }

  deinit {
    mirrored.deallocate()
    labels.deallocate()
    samples.deallocate()
  }

  var isFullyClaimed: Bool { claimed == count }
  var isReady: Bool { finished == count }

  func prepare(step: Int, _ work: ImagePipeline.Work, _ source: any ImageSource) {
    precondition(work.samples.count <= samples.count, "\(work.samples.count) samples in a slot of \(samples.count)")
    self.step = step
    epoch = work.epoch
    count = work.samples.count
    repetitions = work.repetitions
    (claimed, finished) = (0, 0)
    badImages.removeAll(keepingCapacity: true)
    failures.removeAll(keepingCapacity: true)
    for (position, sample) in work.samples.enumerated() {
      samples[position] = sample
      labels[position] = Int32(source.label(of: Int(sample)))
    }
  }

  func forget() {
    step = -1
    (count, claimed, finished) = (0, 0, 0)
  }

  func claim() -> Int {
    claimed += 1
    return claimed - 1
  }

  func finish(_ position: Int, _ bad: [BadImage], _ failure: DataError?) {
    finished += 1
    badImages.append(contentsOf: bad.map { (position, $0) })
    if let failure { failures.append((position, failure)) }
  }

  func repetition(_ position: Int) -> Int { repetitions.isEmpty ? 0 : Int(repetitions[position]) }

  /// (3, side, side) planes of one image.
  func planes(_ position: Int) -> UnsafeMutablePointer<Float> {
    memory.elements.baseAddress! + position * 3 * side * side
  }

  /// (3, T, T) planes of the same image; nil where there are none besides.
  func teacherPlanes(_ position: Int) -> UnsafeMutablePointer<Float>? {
    guard let side = teacherSide, side != self.side else { return nil }
    return teacherMemory.elements.baseAddress! + position * 3 * side * side
  }

  func setMirrored(_ position: Int, _ isMirrored: Bool) { mirrored[position] = isMirrored }

  private var teacherImages: UnsafeMutableBufferPointer<Float> {
    guard let teacherSide else { return .init(start: nil, count: 0) }
    let memory = teacherSide == side ? memory : teacherMemory
    return .init(rebasing: memory.elements[..<(count * 3 * teacherSide * teacherSide)])
  }

  /// The finished batch.
  ///
  /// - Throws: the first failure by position, so that the message does not depend on which worker was faster.
  func batch() throws(DataError) -> Batch {
    if let failure = failures.min(by: { $0.position < $1.position }) { throw failure.error }
    return Batch(
      step: step, epoch: epoch, side: side, count: count,
      images: .init(rebasing: memory.elements[..<(count * 3 * side * side)]),
      teacherImages: teacherImages, isMirrored: .init(rebasing: mirrored[..<count]),
      labels: .init(rebasing: labels[..<count]), samples: .init(rebasing: samples[..<count]),
      // Stable: a position's own images keep the order in which they were tried.
      badImages: badImages.sorted { $0.position < $1.position }.map(\.image))
  }
}
