import Files
import VectorKernels

/// The memory of one batch of an `ImagePipeline`, made once and filled again and again.
///
/// Fields are guarded by the pipeline's lock, but for the image, label and sample number at a claimed position, which
/// belong to the worker that claimed it.
final class PipelineSlot {
  let side: Int
  private let memory: AlignedMemory
  /// Of another side than the student's; nil where there is no teacher, or one that looks at the student's images.
  private let teacherSide: Int?
  private let teacherMemory: AlignedMemory
  private let sharesImages: Bool
  private let labels: UnsafeMutableBufferPointer<Int32>
  let samples: UnsafeMutableBufferPointer<Int32>
  let isMirrored: UnsafeMutableBufferPointer<Bool>

  private(set) var step = -1
  private(set) var epoch = 0
  private(set) var count = 0
  private var repetitions: [Int32] = []
  private var claimed = 0
  private var finished = 0
  private var badImages: [(position: Int, image: BadImage)] = []
  private var failures: [(position: Int, error: DataError)] = []

  init(capacity: Int, side: Int, teacherSide: Int?) {
    self.side = side
    sharesImages = teacherSide == side
    let other = teacherSide == side ? nil : teacherSide
    self.teacherSide = other
    teacherMemory = AlignedMemory(count: capacity * PipelineSlot.size(other ?? 0))
    memory = AlignedMemory(count: capacity * PipelineSlot.size(side))
    labels = .allocate(capacity: max(capacity, 1))
    samples = .allocate(capacity: max(capacity, 1))
    labels.initialize(repeating: 0)
    samples.initialize(repeating: 0)
    isMirrored = .allocate(capacity: max(capacity, 1))
    isMirrored.initialize(repeating: false)
  }

  deinit {
    labels.deallocate()
    samples.deallocate()
    isMirrored.deallocate()
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
    memory.elements.baseAddress! + position * Self.size(side)
  }

  /// (3, T, T) planes of the same image for a teacher whose side T is another.
  func teacherPlanes(_ position: Int) -> UnsafeMutablePointer<Float>? {
    teacherSide.map { teacherMemory.elements.baseAddress! + position * Self.size($0) }
  }

  /// Floats of an image.
  private static func size(_ side: Int) -> Int { 3 * side * side }

  /// The finished batch.
  ///
  /// - Throws: the first failure by position, so that the message does not depend on which worker was faster.
  func batch() throws(DataError) -> Batch {
    if let failure = failures.min(by: { $0.position < $1.position }) { throw failure.error }
    let images = UnsafeMutableBufferPointer(rebasing: memory.elements[..<(count * Self.size(side))])
    let ofTeacher = UnsafeMutableBufferPointer(
      rebasing: teacherMemory.elements[..<(count * Self.size(teacherSide ?? 0))])
    return Batch(
      step: step, epoch: epoch, side: side, count: count, images: images,
      labels: .init(rebasing: labels[..<count]), samples: .init(rebasing: samples[..<count]),
      isMirrored: .init(rebasing: isMirrored[..<count]), teacherImages: sharesImages ? images : ofTeacher,
      // Stable: a position's own images keep the order in which they were tried.
      badImages: badImages.sorted { $0.position < $1.position }.map(\.image))
  }
}
