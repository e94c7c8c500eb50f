import Files
import Foundation
import Testing
import Training
import Weights

@Suite struct InspectionTests {
  @Test func checkpointInWordsAndAsJSON() throws {
    let material = try CheckpointMaterial()
    let folder = try material.write(step: 700, best: .init(step: 650, accuracy: 0.75))
    let (code, text) = try CosfaceProgram.run(["inspect", folder.path, "--tensors"])
    #expect(code == 0)
    for part in [
      "whole: every digest holds", "mobilefacenet, embedding 16, input 16 x 16", "700 of 1000; next: epoch 100, step 0",
      "12 samples a step on 3 ranks of 2 threads", "0.3333333333333333", "accuracy 0.75 after step 650",
      "learningRate = 0.1", "F32 [3, 16]  classWeight  ok", "F32 [16, 8]  momentum.fc.weight  ok",
    ] { #expect(text.contains(part), "\(part) in \(text)") }

    let (_, json) = try CosfaceProgram.run(["inspect", folder.path + "/", "--json"])
    let inspection = try JSONDecoder().decode(Inspection.self, from: Data(json.utf8))
    #expect(inspection.isWhole && inspection.kind == .checkpoint)
    #expect(try inspection.state == material.state(step: 700, best: .init(step: 650, accuracy: 0.75)))
    #expect(inspection.files.map(\.name) == ["model.safetensors", "optimizer.safetensors"])
    #expect(inspection.files[0].tensors.map(\.name).last == "classWeight")
    #expect(inspection.files[0].tensors.allSatisfy { $0.isWhole == true })
    #expect(inspection.model?.classCount == 3)
  }

  @Test func runWithADamagedCheckpoint() throws {
    let material = try CheckpointMaterial()
    for step in 1...3 { try material.write(step: step) }
    #expect(try CosfaceProgram.run(["inspect", material.run]).exitCode == 0)
    var data = try material.bytes("optimizer.safetensors", of: material.store.folders()[2])
    data[data.count - 4] ^= 0x10
    try material.folder.write(data, to: "checkpoints/step-00000003/optimizer.safetensors")
    let (code, text) = try CosfaceProgram.run(["inspect", material.run])
    #expect(code == 1)
    #expect(text.contains("step-00000003  DAMAGED") && text.contains("tensor 'momentum.classWeight'"), "\(text)")
    #expect(text.contains("step-00000002  whole"), "\(text)")
    // Nothing was changed; a resume then sets it aside, and the run is whole again.
    #expect(material.checkpoints.count == 3)
    _ = try material.store.newestWhole()
    let inspection = try Inspection(path: material.run)
    #expect(inspection.isWhole && inspection.setAside == ["step-00000003.damaged"])
    #expect(inspection.state?.step == 2)
  }

  @Test func fileOfACheckpointKnowsItsDigests() throws {
    let material = try CheckpointMaterial()
    let folder = try material.write(step: 1)
    let path = folder.file("model.safetensors")
    #expect(try Inspection(path: path).description.contains("whole: every digest holds"))
    var data = try material.bytes("model.safetensors", of: folder)
    data[data.count - 60] ^= 1
    try data.write(to: URL(fileURLWithPath: path))
    let (code, text) = try CosfaceProgram.run(["inspect", path])
    #expect(code == 1 && text.contains("damage"), "\(text)")
    #expect(try CosfaceProgram.run(["inspect", folder.file("optimizer.safetensors")]).exitCode == 0)
    #expect(try CosfaceProgram.run(["inspect", folder.file("state.json")]).exitCode == 0)
  }

  @Test func weightFileAlone() throws {
    let material = try CheckpointMaterial()
    let path = material.folder["model.safetensors"]
    try ModelFile.write(material.network, classWeight: nil, material.description(step: 4), to: path)
    let inspection = try Inspection(path: path)
    #expect(inspection.isWhole && inspection.kind == .weights && inspection.model?.step == 4)
    #expect(inspection.description.contains("well formed; nothing says which bytes were written"))
    // Beside the checkpoints' folder, this is a finished run.
    #expect(try Inspection(path: material.run).model?.step == 4)
    try Data("half a file".utf8).write(to: URL(fileURLWithPath: path))
    let (code, text) = try CosfaceProgram.run(["inspect", path])
    #expect(code == 1 && text.contains("no safetensors file"), "\(text)")
  }

  @Test func whatIsNothing() throws {
    let folder = try TemporaryFolder()
    let (absent, text) = try CosfaceProgram.run(["inspect", folder["absent"]])
    #expect(absent == 1 && text.contains("No such file or directory"), "\(text)")
    let (empty, reason) = try CosfaceProgram.run(["inspect", folder.path])
    #expect(empty == 1 && reason.contains("neither a run nor a checkpoint"), "\(reason)")
  }

  @Test func configurationsComeBackExactly() throws {
    let json = #"{"a":[1,-2,0.1,18446744073709551615,true,null,"é"],"b":{"c":1e-300}}"#
    let value = try JSONDecoder().decode(JSONValue.self, from: Data(json.utf8))
    let list: [JSONValue] = [
      .integer(1), .integer(-2), .number(0.1), .unsigned(.max), .boolean(true), .null, .string("é"),
    ]
    #expect(value["a"] == .array(list))
    #expect(try JSONDecoder().decode(JSONValue.self, from: Data(value.text.utf8)) == value)
    let options = TrainingOptions(data: ["faces"], output: "run")
    #expect(try JSONValue(encoding: options).decode(as: TrainingOptions.self) == options)
    let deep = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(JSONValue.self, from: Data(deep.utf8)) }
  }
}
