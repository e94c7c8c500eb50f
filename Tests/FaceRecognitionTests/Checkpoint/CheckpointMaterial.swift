import Files
import Foundation
import NeuralNetwork
import VectorKernels
import Weights

/// A run's network, class weight and store of checkpoints in a folder of the test's own.
final class CheckpointMaterial {
  let folder: TemporaryFolder
  let network: Network
  let head: ParameterStore
  let classNames: [Name]

  var classWeight: Parameter { head.parameters[0] }
  var run: String { folder.path }
  var store: CheckpointStore { CheckpointStore(run: run) }
  var checkpoints: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: store.path)) ?? []).sorted()
  }

  /// Every value, running statistic and momentum is another random number.
  ///
  /// `tiny`: two layers and 2 KB instead of a MobileFaceNet, where many files are written.
  init(tiny: Bool = true, classNames: [Name] = ["ann", "bob", "cleo"], seed: UInt64 = 1) throws {
    folder = try TemporaryFolder()
    self.classNames = classNames
    if tiny {
      var graph = Graph(input: .features(8))
      let x = graph.add(FullyConnected("fc", inputs: 8, outputs: 16, initializer: .constant(0)), graph.input)
      _ = graph.add(BatchNormalization("features", channels: 16, trainsWeight: false), x)
      network = Network("tiny", graph)
    } else {
      network = NetworkKind.mobilefacenet.makeNetwork(embeddingWidth: 16, inputSide: 16)
    }
    head = ParameterStore([Parameter("classWeight", [classNames.count, 16], .constant(0))])
    for store in [network.parameters, head] { store.makeStates(SGD.stateNames) }
    fill(seed: seed)
    try store.prepare()
  }

  var stores: [ParameterStore] { [network.parameters, network.statistics, head] }

  func fill(seed: UInt64) {
    var generator = CounterGenerator(seed: seed, purpose: .order)
    for store in stores {
      for parameter in store.parameters {
        for buffer in [parameter.value] + parameter.states.map(\.values) {
          for i in buffer.indices { buffer[i] = generator.uniform(-1, 1) }
        }
      }
    }
  }

  /// All values and momenta, in one list of bits.
  var bits: [UInt32] { stores.flatMap { Array($0.values) + $0.states.flatMap { Array($0.values) } }.map(\.bitPattern) }

  func state(step: Int, best: CheckpointState.Validation? = nil) throws -> CheckpointState {
    CheckpointState(
      step: step, epoch: step / 7, stepInEpoch: step % 7, totalSteps: 1000, seed: .max - 5, globalBatchSize: 12,
      rankCount: 3, threadsPerRank: 2, libraries: ["oneDNN": "2.6.3"], classScale: 1.0 / 3,
      dataFingerprint: String(repeating: "0", count: 32),
      classNames: classNames, best: best,
      configuration: try JSONValue(encoding: ["learningRate": 0.1, "batchSize": 4]))
  }

  func description(step: Int) -> ModelDescription {
    ModelDescription(network: .mobilefacenet, embeddingWidth: 16, inputSide: 16, classNames: classNames, step: step)
  }

  @discardableResult func write(step: Int, best: CheckpointState.Validation? = nil) throws -> CheckpointFolder {
    let snapshot = CheckpointSnapshot(network, classWeight: classWeight)
    snapshot.capture()
    return try store.write(snapshot, try state(step: step, best: best), description(step: step))
  }

  func bytes(_ file: String, of checkpoint: CheckpointFolder) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: checkpoint.file(file)))
  }
}
