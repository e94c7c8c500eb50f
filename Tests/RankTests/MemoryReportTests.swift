import MPI
import Distributed
import NeuralNetwork
import Testing
import Training

extension RankTests {
  /// The report's formulas against what a training step really allocates.
  @Suite struct MemoryReportTests {
    let world = RankTests.world

    @Test(arguments: ClassifierKind.allCases, [(false, false), (true, false), (false, true)])
    func formulasAreWhatIsAllocated(kind: ClassifierKind, cases: (accumulates: Bool, clips: Bool)) throws {
      // A number of classes that the ranks divide evenly: the report is about the largest share.
      let classes = 12 * world.size
      var settings = StepSettings()
      settings.classifier = kind
      settings.gradientClipping = cases.clips ? 1 : nil
      settings.bucketBytes = 1 << 16
      let network = NetworkKind.mobilefacenet.makeNetwork(embeddingWidth: 32, inputSide: 48)
      let step = try TrainingStep(
        network, classCount: classes, capacity: 3, accumulates: cases.accumulates, settings: settings,
        communicator: world)
      var asked = MemoryReport.Settings(classCount: classes, batch: 3, imageSide: 48)
      asked.classifier = kind
      asked.ranks = world.size
      asked.threads = Parallel.threads
      asked.accumulates = cases.accumulates
      asked.clips = cases.clips
      asked.bucketBytes = settings.bucketBytes
      let report = MemoryReport(
        NetworkFootprint(.mobilefacenet, embeddingWidth: 32, inputSide: 48, optimizer: settings.optimizer, batch: 3),
        asked)
      func bytes(_ start: String) -> Int? { report.parts.first { $0.name.hasPrefix(start) }?.bytes }
      #expect(bytes("network") == network.parameters.bytes + network.statistics.bytes)
      #expect(bytes("activations") == network.passBytes)
      #expect(bytes("class weight") == step.classifier.bytes)
      #expect(bytes("images") == 3 * 3 * 3 * 48 * 48 * 4)
      #expect(report.totalBytes == report.parts.reduce(0) { $0 + $1.bytes })
      guard world.size > 1 else {
        #expect(bytes("buckets") == nil)
        return
      }
      // All buckets full, once around.
      let reducer = GradientReducer(network, world, bucketBytes: settings.bucketBytes)
      try reducer.start(network.parameters.gradients, .network)
      try reducer.finish()
      // Pieces end on cache lines.
      let estimate = try #require(bytes("buckets"))
      #expect(reducer.bytes >= estimate && reducer.bytes <= estimate + 4 * world.size * 64)
    }
  }
}
