import Files
import Foundation
import Testing
import VectorKernels
import Weights

/// Checkpoints that somebody cut or changed: each refused with file and reason, none a crash, none believed.
@Suite struct CheckpointDamageTests {
  private func damage(
    _ material: CheckpointMaterial, _ folder: CheckpointFolder, _ file: String, _ change: (inout Data) throws -> Void
  ) throws -> [String] {
    let whole = try material.bytes(file, of: folder)
    var data = whole
    try change(&data)
    let name = "checkpoints/\(folder.name)/\(file)"
    try material.folder.write(data, to: name)
    let damage = try CheckpointExamination(folder).damage.map(\.description)
    try material.folder.write(whole, to: name)
    #expect(try CheckpointExamination(folder).isWhole)
    return damage
  }

  @Test func namesFileAndTensor() throws {
    let material = try CheckpointMaterial()
    let folder = try material.write(step: 7)
    // The last Float of the file is one of the class weight's, which F32 puts before the counts of 8 bytes: not last.
    #expect(
      try damage(material, folder, "optimizer.safetensors") { $0[$0.count - 1] ^= 1 }
        == ["optimizer.safetensors, tensor 'momentum.classWeight': its bytes are not those that were written"])
    #expect(
      try damage(material, folder, "model.safetensors") { data in
        let place = try #require(data.range(of: Data("cleo".utf8)))
        data[place.lowerBound] = UInt8(ascii: "k")
      } == ["model.safetensors: its class names are not those of state.json"])
    #expect(
      try damage(material, folder, "model.safetensors") { data in
        let place = try #require(data.range(of: Data(#""pt""#.utf8)))
        data[place.lowerBound + 1] = UInt8(ascii: "q")
      } == ["model.safetensors: its tensors are whole, but the rest of it is not what was written"])
    #expect(
      try damage(material, folder, "model.safetensors") { data in
        let place = try #require(data.range(of: Data("fc.weight".utf8)))
        data[place.lowerBound] = UInt8(ascii: "g")
      } == [
        "model.safetensors, tensor 'gc.weight': state.json does not list it",
        "model.safetensors, tensor 'fc.weight': missing, but state.json lists it",
      ])
    #expect(
      try damage(material, folder, "state.json") { $0.append(UInt8(ascii: " ")) }
        == ["state.json: its bytes are not those that were written"])
    #expect(
      try damage(material, folder, "digests.xxh128") { $0.append(UInt8(ascii: "\n")) }
        == ["digests.xxh128: not the digests of a checkpoint's files"])
    let cut = try damage(material, folder, "model.safetensors") { $0 = $0.dropLast(3) }
    #expect(cut.count == 1 && cut[0].contains("cut off"), "\(cut)")
  }

  @Test func missingFilesAndOtherThings() throws {
    let material = try CheckpointMaterial()
    let folder = try material.write(step: 7)
    for file in ["model.safetensors", "optimizer.safetensors", "state.json", "digests.xxh128"] {
      let hidden = folder.file(file) + ".hidden"
      try FileManager.default.moveItem(atPath: folder.file(file), toPath: hidden)
      #expect(try CheckpointExamination(folder).damage.contains { "\($0)" == "\(file): the file is missing" })
      try #require(mkfifo(folder.file(file), 0o600) == 0)
      #expect(try CheckpointExamination(folder).damage.contains { "\($0)" == "\(file): not a file" })
      try FileManager.default.removeItem(atPath: folder.file(file))
      try FileManager.default.moveItem(atPath: hidden, toPath: folder.file(file))
    }
    #expect(try CheckpointExamination(folder).isWhole)
    let moved = CheckpointFolder(path: material.store.path + "/step-00000008")
    try FileManager.default.moveItem(atPath: folder.path, toPath: moved.path)
    #expect(
      try CheckpointExamination(moved).damage.map(\.description)
        == ["state.json: it is of step 7, but its folder is 'step-00000008'"])
  }

  /// Under digests that hold: what no accident makes, but a stranger's file may be.
  @Test(arguments: [
    ("{", "it cannot be read"), ("", "it cannot be read"), ("[1]", "it cannot be read"),
    (String(repeating: "[", count: 200_000), "it cannot be read"),
    (#"{"format":1,"program":"x","state":"# + String(repeating: #"{"a":"#, count: 100_000), "it cannot be read"),
    (#"{"format":1e400,"program":"x"}"#, "it cannot be read"),
    (#"{"format":1,"program":"x"}"#, "'written' is missing"),
  ])
  func hostileState(json: String, reason: String) throws {
    let material = try CheckpointMaterial()
    let folder = try material.write(step: 7)
    let damage = try Self.forge(material, folder, Data(json.utf8))
    #expect(damage.contains { $0.file == "state.json" && $0.reason.contains(reason) }, "\(damage)")
  }

  @Test(arguments: [
    ("\"rankCount\" : 3", "\"rankCount\" : 0", "rankCount is 0"),
    ("\"stepInEpoch\" : 0", "\"stepInEpoch\" : -1", "stepInEpoch is -1"),
    ("\"bits\" : \"3fd5555555555555\"", "\"bits\" : \"bfd5555555555555\"", "classScale is -0.333"),
    ("\"bits\" : \"3fd5555555555555\"", "\"bits\" : \"7ff0000000000000\"", "no 16 hex digits of a finite Double"),
    ("\"step\" : 7", "\"step\" : 8", "it is of step 8, but its folder is"),
    ("\"seed\"", "\"sead\"", "'seed' is missing"),
  ])
  func impossibleState(text: String, replacement: String, reason: String) throws {
    let material = try CheckpointMaterial()
    let folder = try material.write(step: 7)
    let state = String(decoding: try material.bytes("state.json", of: folder), as: UTF8.self)
    try #require(state.contains(text), "\(state)")
    let damage = try Self.forge(material, folder, Data(state.replacing(text, with: replacement).utf8))
    #expect(damage.contains { $0.reason.contains(reason) }, "\(damage)")
  }

  private static func forge(
    _ material: CheckpointMaterial, _ folder: CheckpointFolder, _ state: Data
  ) throws -> [CheckpointDamage] {
    let former = try material.bytes("state.json", of: folder).withUnsafeBytes { "\(Digest(of: $0))" }
    let digests = String(decoding: try material.bytes("digests.xxh128", of: folder), as: UTF8.self)
    let digest = state.withUnsafeBytes { "\(Digest(of: $0))" }
    try material.folder.write(state, to: "checkpoints/\(folder.name)/state.json")
    try material.folder.write(
      Data(digests.replacing(former, with: digest).utf8), to: "checkpoints/\(folder.name)/digests.xxh128")
    return try CheckpointExamination(folder).damage
  }

  /// The short form of `scripts/drills/mutate.sh`, which says how many times: COSFACE_MUTATIONS, and COSFACE_SEED.
  @Test(arguments: ["model.safetensors", "optimizer.safetensors", "state.json", "digests.xxh128"])
  func mutations(file: String) throws {
    let environment = ProcessInfo.processInfo.environment
    let count = environment["COSFACE_MUTATIONS"].flatMap(Int.init) ?? 120
    let seed = environment["COSFACE_SEED"].flatMap(UInt64.init) ?? 1
    // Every tenth on a MobileFaceNet, whose data is large beside its header; the others on a few KB, mostly header.
    let materials = [try CheckpointMaterial(), try CheckpointMaterial(tiny: false)]
    let folders = try materials.map { try $0.write(step: 7) }
    let wholes = try zip(materials, folders).map { try $0.bytes(file, of: $1) }
    var generator = CounterGenerator(seed: seed, purpose: .order, file.utf8.count)
    var believed = 0
    for number in 0..<count {
      let which = number % 10 == 9 ? 1 : 0
      let mutation = FileMutation.allCases[generator.below(FileMutation.allCases.count)]
      let changed = mutation.applied(to: wholes[which], &generator)
      // Writing over a file makes ext4 flush it.
      try FileManager.default.removeItem(atPath: folders[which].file(file))
      try changed.write(to: URL(fileURLWithPath: folders[which].file(file)))
      let damage = try CheckpointExamination(folders[which]).damage
      if damage.isEmpty || damage.contains(where: { $0.reason.isEmpty }) { believed += 1 }
      #expect(!damage.isEmpty, "\(mutation) number \(number) of \(file), seed \(seed), was believed")
      // What no tensor file is must not be opened as one, and the whole program must say the same.
      if file.hasSuffix(".safetensors") { _ = try Inspection(path: folders[which].file(file)) }
      if number < 12 {
        let (code, output) = try CosfaceProgram.run(["inspect", folders[which].path])
        #expect(code == 1 && output.contains("damage "), "\(mutation) number \(number) of \(file): \(code) \(output)")
      }
    }
    if environment["COSFACE_MUTATIONS"] != nil { print("\(file): \(count) mutations, \(believed) believed") }
    for (whole, (material, folder)) in zip(wholes, zip(materials, folders)) {
      try material.folder.write(whole, to: "checkpoints/\(folder.name)/\(file)")
      #expect(try CheckpointExamination(folder).isWhole)
    }
  }
}
