import Files
import Foundation
import Testing
import Training
import Weights

@Suite struct CheckpointWriterTests {
  @Test func writesWhatWasThereAtTheCall() throws {
    let material = try CheckpointMaterial(tiny: false)
    let writer = CheckpointWriter(material.store, material.network, classWeight: material.classWeight, keep: 2)
    var bits: [Int: [UInt32]] = [:]
    for step in 1...4 {
      material.fill(seed: UInt64(step))
      bits[step] = material.bits
      try writer.save(material.state(step: step), material.description(step: step))
      // Training goes on over the same memory.
      material.fill(seed: 99)
      try writer.checkForFailure()
    }
    try writer.finish()
    #expect(!writer.isWriting)
    #expect(material.checkpoints == ["step-00000003", "step-00000004"])
    for step in 3...4 {
      let path = material.store.path + "/" + CheckpointFolder.name(step: step)
      try Checkpoint(path: path).restore(material.network, classWeight: material.classWeight)
      #expect(material.bits == bits[step])
    }
  }

  @Test func failuresComeBackOnce() throws {
    let material = try CheckpointMaterial()
    let writer = CheckpointWriter(material.store, material.network, classWeight: material.classWeight, keep: 1)
    try writer.save(material.state(step: 1), material.description(step: 1))
    try writer.finish()
    // No folder to write into any more; root may write anywhere else.
    let elsewhere = material.folder["elsewhere"]
    try FileManager.default.moveItem(atPath: material.store.path, toPath: elsewhere)
    try writer.save(material.state(step: 2), material.description(step: 2))
    let error = #expect(throws: FileError.self) { try writer.finish() }
    #expect(error?.code == ENOENT)
    #expect(error?.path.contains("step-00000002") == true)
    try writer.finish()
    try FileManager.default.moveItem(atPath: elsewhere, toPath: material.store.path)
    try writer.save(material.state(step: 3), material.description(step: 3))
    try writer.finish()
    #expect(material.checkpoints == ["step-00000003"])
  }

  /// A write that fails midway leaves nothing, and the former checkpoint as it was.
  @Test func fileTooLarge() throws {
    let material = try CheckpointMaterial(tiny: false)
    try material.write(step: 1)
    var former = rlimit()
    getrlimit(__rlimit_resource_t(1), &former)  // RLIMIT_FSIZE
    signal(SIGXFSZ, SIG_IGN)
    var limit = rlimit(rlim_cur: 1 << 20, rlim_max: former.rlim_max)
    setrlimit(__rlimit_resource_t(1), &limit)
    let error = #expect(throws: FileError.self) { try material.write(step: 2) }
    setrlimit(__rlimit_resource_t(1), &former)
    #expect(error?.code == EFBIG)
    #expect(material.checkpoints == ["step-00000001"])
    #expect(try material.store.newestWhole().checkpoint.state.step == 1)
  }
}
