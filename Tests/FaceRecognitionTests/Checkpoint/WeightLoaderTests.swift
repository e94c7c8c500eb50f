import Files
import Foundation
import NeuralNetwork
import Testing
import Weights

@Suite struct WeightLoaderTests {
  private func file(
    of material: CheckpointMaterial, withClassWeight: Bool = true, named: Bool = true
  ) throws -> SafetensorsFile {
    let path = material.folder["weights.safetensors"]
    if named {
      try ModelFile.write(
        material.network, classWeight: withClassWeight ? material.classWeight : nil, material.description(step: 9),
        to: path)
    } else {
      try state(of: material, withClassWeight: withClassWeight).write(to: path)
    }
    return try SafetensorsFile(path: path)
  }

  /// As PyTorch would write it: no description.
  private func state(
    of material: CheckpointMaterial, withClassWeight: Bool = false, except: Set<String> = [],
    change: (String, Parameter, inout SafetensorsWriter) -> Bool = { _, _, _ in false }
  ) -> SafetensorsWriter {
    var writer = SafetensorsWriter(metadata: ["format": "pt"])
    let entries = ModelFile.entries(of: material.network, classWeight: withClassWeight ? material.classWeight : nil)
    for entry in entries where !except.contains(entry.name) {
      guard let parameter = entry.parameter else {
        writer.add(entry.name, shape: [], [Int64(3)])
        continue
      }
      if change(entry.name, parameter, &writer) { continue }
      writer.add(entry.name, shape: parameter.shape, UnsafeBufferPointer(parameter.value))
    }
    return writer
  }

  private func open(_ writer: SafetensorsWriter, _ material: CheckpointMaterial) throws -> SafetensorsFile {
    try writer.write(to: material.folder["changed.safetensors"])
    return try SafetensorsFile(path: material.folder["changed.safetensors"])
  }

  private func row(_ material: CheckpointMaterial, _ index: Int) -> [Float] {
    Array(material.classWeight.value[(16 * index)..<(16 * (index + 1))])
  }

  private func load(
    _ file: SafetensorsFile, into target: CheckpointMaterial, allowMissing: Bool = false
  ) throws -> WeightReport {
    try WeightLoader(file).load(
      target.network, classWeight: target.classWeight, classNames: target.classNames, allowMissing: allowMissing)
  }

  @Test(arguments: [true, false]) func theSamePeople(tiny: Bool) throws {
    let old = try CheckpointMaterial(tiny: tiny)
    let new = try CheckpointMaterial(tiny: tiny, seed: 2)
    let report = try load(file(of: old), into: new)
    #expect(report.isComplete && report.newRows == [] && report.unexpected == [] && report.droppedClasses == [])
    #expect(report.loaded.count == old.network.stateNames.count + 1)
    #expect(old.stores.map { Array($0.values) } == new.stores.map { Array($0.values) })
  }

  @Test func grownListKeepsRowsByName() throws {
    let old = try CheckpointMaterial()
    let new = try CheckpointMaterial(classNames: ["adam", "ann", "bill", "cleo", "dora"], seed: 2)
    let former = (0..<5).map { row(new, $0) }
    let report = try load(file(of: old), into: new)
    #expect(report.newRows == [0, 2, 4])
    #expect(report.droppedClasses == ["bob"])
    #expect(row(new, 1) == row(old, 0) && row(new, 3) == row(old, 2))
    for new in report.newRows.map({ (row(new, $0), former[$0]) }) { #expect(new.0 == new.1) }
    #expect(report.lines.contains("3 new rows of the class weight"))
  }

  @Test func backboneAlone() throws {
    let old = try CheckpointMaterial()
    let new = try CheckpointMaterial(seed: 2)
    let rows = Array(new.classWeight.value)
    let report = try load(file(of: old, withClassWeight: false), into: new)
    #expect(report.isComplete && report.newRows == [0, 1, 2])
    #expect(Array(new.classWeight.value) == rows)
    #expect(Array(new.network.parameters.values) == Array(old.network.parameters.values))
    // And a model with a class weight into a network without.
    let other = try CheckpointMaterial(seed: 3)
    #expect(try WeightLoader(file(of: old)).load(other.network, classWeight: nil).unexpected == [])
  }

  @Test func withoutNamesByPosition() throws {
    let old = try CheckpointMaterial()
    let new = try CheckpointMaterial(classNames: ["x", "y", "z"], seed: 2)
    #expect(try load(file(of: old, named: false), into: new).newRows == [])
    #expect(Array(new.classWeight.value) == Array(old.classWeight.value))
    let more = try CheckpointMaterial(classNames: ["x", "y", "z", "zz"], seed: 2)
    let error = #expect(throws: WeightError.self) { try load(file(of: old, named: false), into: more) }
    #expect(error.map { "\($0)" }?.contains("classWeight is F32 [3, 16], needed is F32 [4, 16]") == true)
    #expect(try load(file(of: old, named: false), into: more, allowMissing: true).newRows == [0, 1, 2, 3])
  }

  @Test func missingAndMisshapenAreListed() throws {
    let old = try CheckpointMaterial()
    let writer = state(of: old, except: ["features.bias"]) { name, parameter, writer in
      guard name == "features.running_var" else { return false }
      writer.add(name, shape: [4, 4], UnsafeBufferPointer(parameter.value))
      writer.add("fc.bias", shape: [2], [1, 2] as [Float])
      return true
    }
    let file = try open(writer, old)
    let new = try CheckpointMaterial(seed: 2)
    let bits = new.bits
    let error = #expect(throws: WeightError.self) { try load(file, into: new) }
    let text = error.map { "\($0)" } ?? ""
    #expect(text.contains("1 missing: features.bias"), "\(text)")
    #expect(text.contains("features.running_var is F32 [4, 4], needed is F32 [16]"), "\(text)")
    #expect(text.contains("fc.bias") && text.contains("--allow-missing"), "\(text)")
    #expect(new.bits == bits)
    let report = try load(file, into: new, allowMissing: true)
    #expect(report.missing == ["features.bias"] && report.unexpected == ["fc.bias"])
    #expect(report.mismatched.map(\.name) == ["features.running_var"])
    #expect(report.loaded == ["fc.weight", "features.weight", "features.running_mean"])
  }

  @Test func otherTypes() throws {
    let old = try CheckpointMaterial()
    let half = state(of: old) { name, parameter, writer in
      guard name == "fc.weight" else { return false }
      writer.add(name, shape: parameter.shape, parameter.value.map(Double.init))
      return true
    }
    let new = try CheckpointMaterial(seed: 2)
    _ = try load(open(half, old), into: new)
    #expect(Array(new.network.parameters.values) == Array(old.network.parameters.values))
    let whole = state(of: old) { name, parameter, writer in
      guard name == "fc.weight" else { return false }
      writer.add(name, shape: parameter.shape, parameter.value.map { Int32($0) })
      return true
    }
    #expect(throws: WeightError.self) { try load(open(whole, old), into: new) }
    // Found only while it is read: nothing is changed then either.
    let large = state(of: old) { name, parameter, writer in
      guard name == "features.bias" else { return false }
      writer.add(name, shape: parameter.shape, parameter.value.map { _ in 1e300 })
      return true
    }
    new.fill(seed: 5)
    let bits = new.bits
    #expect(throws: SafetensorsError.self) { try load(open(large, old), into: new) }
    #expect(new.bits == bits)
  }

  @Test func anotherNetworksFile() throws {
    let old = try CheckpointMaterial()
    let network = NetworkKind.spherenet20.makeNetwork(embeddingWidth: 16, inputSide: 16)
    let error = #expect(throws: WeightError.self) {
      try WeightLoader(file(of: old)).load(network, classWeight: nil, allowMissing: true)
    }
    #expect(error.map { "\($0)" }?.contains("no tensor of spherenet20; they hold fc.weight") == true)
  }

  @Test func namesThatContradictTheRows() throws {
    let old = try CheckpointMaterial()
    let path = old.folder["names.safetensors"]
    for names: [Name] in [["ann", "bob"], ["ann", "bob", "ann"]] {
      let description = ModelDescription(network: .mobilefacenet, embeddingWidth: 16, inputSide: 16, classNames: names)
      try ModelFile.write(old.network, classWeight: old.classWeight, description, to: path)
      let file = try SafetensorsFile(path: path)
      let target = try CheckpointMaterial(seed: 2)
      #expect(throws: ModelFileError.self) { try load(file, into: target) }
    }
  }
}
