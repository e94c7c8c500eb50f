package import Distributed
package import Files
import Foundation
package import MPI

/// Writes what all ranks recorded as one file in Chrome's trace event format, a JSON array: https://ui.perfetto.dev shows
/// it, one process per rank, and so does chrome://tracing.
///
/// Spans are complete events ("X"), nested by time. Buckets under way are asynchronous events ("b" and "e"), joined by an
/// id: they overlap one another and the work. Times are microseconds since the first recorded step began.
package enum TraceFile {
  struct Event: Codable, Equatable {
    var name: String
    /// What Perfetto colours and filters by.
    var cat: String?
    var ph: String
    /// Microseconds.
    var ts: Double?
    var dur: Double?
    var pid: Int
    var tid: Int?
    var id: String?
    var args: Arguments?
  }

  struct Arguments: Codable, Equatable {
    var name: String?
    var sortIndex: Int?
    var step: Int?
    /// Sent by this rank for the bucket, in both rounds.
    var bytes: Int?
    var droppedEvents: Int?

    enum CodingKeys: String, CodingKey {
      case name, step, bytes, droppedEvents
      case sortIndex = "sort_index"
    }
  }

  /// Every rank calls it; rank 0 gathers and writes, one rank's part at a time.
  ///
  /// On rank 0 returns why the file could not be written, else nil. It does not throw that: it receives the others' parts
  /// all the same, so that no rank waits for ever, and the run ends normally.
  package static func write(_ recorder: TraceRecorder, to path: String, _ communicator: Communicator) throws
    -> FileError?
  {
    let host = try Communicator.processorName()
    let mine = try encode(events(recorder, rank: communicator.rank, host: host))
    let counts = try communicator.allGather(mine.count)
    guard communicator.rank == 0 else {
      try mine.withUnsafeBufferPointer { try communicator.send($0, to: 0) }
      return nil
    }
    var received = 0
    func nextPart() throws -> [UInt8] {
      received += 1
      var part = [UInt8](repeating: 0, count: counts[received])
      try part.withUnsafeMutableBufferPointer { try communicator.receive($0, from: received) }
      return part
    }
    do {
      let file = try AtomicFile(path: path)
      try write("[\n", to: file)
      try mine.withUnsafeBytes { try file.write($0) }
      while received + 1 < communicator.size {
        let part = try nextPart()
        try write(",\n", to: file)
        try part.withUnsafeBytes { try file.write($0) }
      }
      try write("\n]\n", to: file)
      try file.commit()
      return nil
    } catch let error as FileError {
      while received + 1 < communicator.size { _ = try nextPart() }
      return error
    }
  }

  static func events(_ recorder: TraceRecorder, rank: Int, host: String) -> [Event] {
    var result = [
      Event(name: "process_name", ph: "M", pid: rank, args: Arguments(name: "rank \(rank) on \(host)")),
      Event(name: "process_sort_index", ph: "M", pid: rank, args: Arguments(sortIndex: rank)),
      Event(name: "thread_name", ph: "M", pid: rank, tid: 0, args: Arguments(name: "training")),
    ]
    if recorder.dropped > 0 {
      result.append(
        Event(
          name: "events that found no place", ph: "M", pid: rank, args: Arguments(droppedEvents: recorder.dropped)))
    }
    for event in recorder.recorded {
      let (text, category) = recorder.names[Int(event.name)]
      let time = Double(event.start - recorder.origin) / 1000
      switch event.kind {
      case .span:
        result.append(
          Event(
            name: text, cat: category, ph: "X", ts: time, dur: Double(event.duration) / 1000, pid: rank, tid: 0,
            args: Arguments(step: Int(event.number))))
      case .departure:
        result.append(
          Event(
            name: text, cat: category, ph: "b", ts: time, pid: rank, tid: 0, id: "\(event.number)",
            args: Arguments(bytes: Int(event.bytes))))
      case .arrival:
        result.append(
          Event(name: text, cat: category, ph: "e", ts: time, pid: rank, tid: 0, id: "\(event.number)"))
      }
    }
    return result
  }

  /// One event a line, without the array's brackets.
  private static func encode(_ events: [Event]) throws -> [UInt8] {
    var bytes: [UInt8] = []
    for (index, event) in events.enumerated() {
      if index > 0 { bytes += Array(",\n".utf8) }
      bytes += try JSONText.line(event)
      Heartbeat.beat()
    }
    return bytes
  }

  private static func write(_ text: String, to file: borrowing AtomicFile) throws {
    var text = text
    try text.withUTF8 { try file.write(UnsafeRawBufferPointer($0)) }
  }
}
