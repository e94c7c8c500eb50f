import Files
package import Foundation

/// An event file of TensorBoard: one TFRecord after the other, each an `Event` message.
///
/// A record is written by one call, so that a crash leaves whole ones and at most a torn last one, at which readers stop.
final class EventFile {
  let path: String
  private let descriptor: CInt

  /// Makes a new file in `folder` that readers take after all that lie there.
  ///
  /// - Parameter step: where the run goes on; events of this step and later ones in former files are forgotten.
  init(folder: String, resumingAt step: Int? = nil) throws {
    try FilePath.makeFolder(folder)
    path = folder + "/" + Self.name(after: Self.newest(in: folder))
    descriptor = try OutputFile.create(path)

    var version = Tensorboard_Event()
    version.fileVersion = "brain.Event:2"
    version.sourceMetadata.writer = ProgramVersion.name
    try write(version)
    if let step {
      var start = Tensorboard_Event()
      start.step = Int64(step)
      start.sessionLog.status = .start
      try write(start)
    }
  }

  /// Writes what there is to know of one step.
  func write(_ values: [Tensorboard_Summary.Value], step: Int) throws {
    var event = Tensorboard_Event()
    event.step = Int64(step)
    event.summary.value = values
    try write(event)
  }

  /// Makes the events durable.
  func finish() throws {
    guard fdatasync(descriptor) == 0 else { throw FileError("flush to disk", path) }
  }

  deinit { close(descriptor) }

  private func write(_ event: Tensorboard_Event) throws {
    var event = event
    event.wallTime = Date().timeIntervalSince1970
    try TFRecord.frame(try event.serializedData()).withUnsafeBytes {
      try AtomicFile.write($0, to: descriptor, path: path)
    }
  }

  /// Readers go through files by name, so the seconds in it must not repeat: a run may be resumed within one.
  private static func name(after newest: Int) -> String {
    let seconds = max(Int(Date().timeIntervalSince1970), newest + 1)
    return "events.out.tfevents.\(seconds).\(ProcessInfo.processInfo.hostName).\(getpid()).0"
  }

  /// The seconds in the name of the newest event file; 0 where there is none.
  private static func newest(in folder: String) -> Int {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.compactMap { name in
      name.firstMatch(of: /^events\.out\.tfevents\.([0-9]{10,12})\./).flatMap { Int($0.1) }
    }.max() ?? 0
  }
}

/// TensorFlow's frame around a piece of data:
///
///     length of the payload (UInt64) | its checksum | payload | its checksum          all little-endian
///
/// Checksums are `CRC32C.masked`, of the eight bytes of the length and of the payload.
package enum TFRecord {
  package static func frame(_ payload: Data) -> Data {
    let length = bytes(of: UInt64(payload.count))
    var record = Data(capacity: payload.count + 16)
    record.append(contentsOf: length)
    record.append(contentsOf: bytes(of: CRC32C.masked(length)))
    record.append(payload)
    record.append(contentsOf: bytes(of: payload.withUnsafeBytes { CRC32C.masked($0) }))
    return record
  }

  private static func bytes(of number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { [UInt8]($0) }
  }
}
