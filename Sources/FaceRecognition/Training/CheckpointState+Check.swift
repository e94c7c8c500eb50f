extension CheckpointState {
  /// Refuses other people or other images than those that the run has trained on so far.
  func check(_ data: TrainingData, fingerprint: String, run: String) throws {
    let names = Digest(ofNames: data.training.classNames)
    var rows: [ResumeRefusal.Row] = []
    if names != classNamesDigest {
      rows.append(.init(name: "people", checkpoint: "\(classNamesDigest)", given: "\(names)"))
    }
    if fingerprint != dataFingerprint {
      rows.append(.init(name: "images", checkpoint: dataFingerprint, given: fingerprint))
    }
    if !rows.isEmpty { throw ResumeRefusal(run: run, rows: rows, isAcceptable: false) }
  }
}
