import Files
import Foundation
import Testing
import Weights

@Suite struct CheckpointStoreTests {
  @Test(arguments: [true, false]) func roundTripToTheBit(tiny: Bool) throws {
    let material = try CheckpointMaterial(tiny: tiny)
    let bits = material.bits
    let folder = try material.write(step: 1200, best: .init(step: 1100, accuracy: 0.875))
    #expect(material.checkpoints == ["step-00001200"])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        == ["digests.xxh128", "model.safetensors", "optimizer.safetensors", "state.json"])

    let checkpoint = try Checkpoint(path: folder.path)
    #expect(try checkpoint.state == material.state(step: 1200, best: .init(step: 1100, accuracy: 0.875)))
    #expect(checkpoint.state.classScale.value == 1.0 / 3)
    #expect(checkpoint.description == material.description(step: 1200))
    #expect(
      try checkpoint.state.configuration.decode(as: [String: Double].self) == ["learningRate": 0.1, "batchSize": 4])
    material.fill(seed: 2)
    #expect(material.bits != bits)
    try checkpoint.restore(material.network, classWeight: material.classWeight)
    #expect(material.bits == bits)
  }

  /// So any checkpoint is a model for `evaluate`.
  @Test func modelIsAModelFile() throws {
    let material = try CheckpointMaterial(tiny: false)
    let folder = try material.write(step: 5)
    let path = material.folder["model.safetensors"]
    try ModelFile.write(material.network, classWeight: material.classWeight, material.description(step: 5), to: path)
    #expect(
      try material.bytes("model.safetensors", of: folder) == Data(contentsOf: URL(fileURLWithPath: path)))
    let (file, description, network) = try ModelFile.open(folder.path)
    #expect(description == material.description(step: 5))
    #expect(Array(network.parameters.values) == Array(material.network.parameters.values))
    let counter = try #require(file.names.first { $0.hasSuffix(".num_batches_tracked") })
    #expect(try file.integers(of: counter) == [5])
  }

  @Test func sameStateSameBytes() throws {
    let material = try CheckpointMaterial()
    let first = try material.write(step: 3)
    let files = try ["model.safetensors", "optimizer.safetensors"].map { try material.bytes($0, of: first) }
    let second = try material.write(step: 3)
    #expect(try ["model.safetensors", "optimizer.safetensors"].map { try material.bytes($0, of: second) } == files)
  }

  @Test func replacesTheSameStep() throws {
    let material = try CheckpointMaterial()
    try material.write(step: 3)
    material.fill(seed: 9)
    let bits = material.bits
    let folder = try material.write(step: 3)
    #expect(material.checkpoints == ["step-00000003"])
    material.fill(seed: 1)
    try Checkpoint(path: folder.path).restore(material.network, classWeight: material.classWeight)
    #expect(material.bits == bits)
  }

  @Test func names() {
    #expect(CheckpointFolder.name(step: 1200) == "step-00001200")
    #expect(CheckpointFolder.name(step: 123_456_789_012) == "step-123456789012")
    #expect(CheckpointFolder.step(ofName: "step-123456789012") == 123_456_789_012)
    for name in [
      "step-1200", "step-000001200", "step-00001200.damaged", ".step-00001200", "step-0000120x",
      "step-99999999999999999999999",
    ] { #expect(CheckpointFolder.step(ofName: name) == nil, "\(name)") }
  }

  @Test func leftoversOfKilledWritersGo() throws {
    let material = try CheckpointMaterial()
    try material.write(step: 1)
    for name in [".step-00000002.4711-3.tmp/model.safetensors", ".step-00000001.former/state.json", "notes.txt"] {
      try material.folder.write(to: "checkpoints/" + name)
    }
    // Killed between the two renames of a replacement.
    try material.write(step: 4)
    try FileManager.default.moveItem(
      atPath: material.store.path + "/step-00000004", toPath: material.store.path + "/.step-00000004.former")
    #expect(try material.store.folders().map(\.step) == [1])
    try material.store.prepare()
    #expect(material.checkpoints == ["notes.txt", "step-00000001", "step-00000004"])
    #expect(try material.store.newestWhole().checkpoint.state.step == 4)
  }

  @Test func keepsTheNewestAndTheBest() throws {
    let material = try CheckpointMaterial()
    let best = CheckpointState.Validation(step: 2, accuracy: 0.9)
    for step in 1...6 {
      let folder = try material.write(step: step, best: best)
      try material.store.prune(keeping: 2, best: best.step, written: folder)
    }
    #expect(material.checkpoints == ["step-00000002", "step-00000005", "step-00000006"])
    // One that is written behind newer ones of another history is not removed at once.
    let folder = try material.write(step: 3)
    try material.store.prune(keeping: 1, best: nil, written: folder)
    #expect(material.checkpoints == ["step-00000003", "step-00000006"])
  }

  @Test func damagedOnesAreSetAside() throws {
    let material = try CheckpointMaterial()
    for step in 1...3 { try material.write(step: step) }
    for step in 2...3 {
      try material.folder.write(Data("{}".utf8), to: "checkpoints/step-0000000\(step)/state.json")
    }
    try material.folder.write(to: "checkpoints/step-00000003.damaged/state.json")
    let (checkpoint, setAside) = try material.store.newestWhole()
    #expect(checkpoint.state.step == 1)
    #expect(
      setAside.map { ($0.path as NSString).lastPathComponent } == ["step-00000003.damaged-2", "step-00000002.damaged"])
    #expect(setAside[0].damage.map(\.description) == ["state.json: its bytes are not those that were written"])
    #expect(
      material.checkpoints
        == ["step-00000001", "step-00000002.damaged", "step-00000003.damaged", "step-00000003.damaged-2"])
    #expect(try material.store.setAside().count == 3)
  }

  @Test func noneAtAll() throws {
    let material = try CheckpointMaterial()
    let none = #expect(throws: CheckpointError.self) { try material.store.newestWhole() }
    #expect(none == .none(run: material.run))
    #expect(try CheckpointStore(run: material.folder["absent"]).folders() == [])
    try material.folder.write(to: "checkpoints/step-00000003/state.json")
    let damaged = #expect(throws: CheckpointError.self) { try material.store.newestWhole() }
    #expect(
      damaged == .noneWhole(run: material.run, setAside: [material.store.path + "/step-00000003.damaged"]))
    // Nor is such a run one that never began when it is asked again.
    let again = #expect(throws: CheckpointError.self) { try material.store.newestWhole() }
    #expect(again == damaged)
  }

  /// What a newer program wrote is not damaged: it stays where it is, and nothing older is taken instead.
  @Test func newerFormatIsNotDamage() throws {
    let material = try CheckpointMaterial()
    try material.write(step: 1)
    let folder = try material.write(step: 2)
    let text = String(decoding: try material.bytes("state.json", of: folder), as: UTF8.self)
    let newer = Data(text.replacing("\"format\" : 1", with: "\"format\" : 3").utf8)
    try material.folder.write(newer, to: "checkpoints/step-00000002/state.json")
    let digests = String(decoding: try material.bytes("digests.xxh128", of: folder), as: UTF8.self)
    let former = Data(text.utf8).withUnsafeBytes { "\(Digest(of: $0))" }
    let digest = newer.withUnsafeBytes { "\(Digest(of: $0))" }
    try material.folder.write(
      Data(digests.replacing(former, with: digest).utf8), to: "checkpoints/step-00000002/digests.xxh128")
    let error = #expect(throws: CheckpointError.self) { try material.store.newestWhole() }
    #expect(error.map { "\($0)" }?.contains("has format 3") == true, "\(String(describing: error))")
    #expect(material.checkpoints == ["step-00000001", "step-00000002"])
  }
}
