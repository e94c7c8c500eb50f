import Files
import Foundation

/// What a plan reads from files: a measured link, or a computation measured before.
package enum PlanInput {
  /// A file that a plan cannot use.
  package struct Failure: Error, Equatable, CustomStringConvertible {
    package let path: String
    package let reason: String

    package var description: String { "\(path.printableName) \(reason)" }
  }

  /// The slowest link of a JSON file such as `cosface check --json` writes: of all objects in it with `latencySeconds` and
  /// `bytesPerSecond`, the largest latency and the smallest bandwidth.
  package static func link(from path: String) throws -> LinkModel {
    var slowest: LinkModel?
    func look(_ value: JSONValue) {
      if let latency = number(value["latencySeconds"]), let bandwidth = number(value["bytesPerSecond"]),
        latency >= 0, bandwidth > 0
      {
        slowest = LinkModel(
          latencySeconds: max(slowest?.latencySeconds ?? 0, latency),
          bytesPerSecond: min(slowest?.bytesPerSecond ?? .infinity, bandwidth))
      }
      switch value {
      case .array(let elements): elements.forEach(look)
      case .object(let members): members.values.forEach(look)
      default: break
      }
    }
    look(try read(path))
    guard let slowest else {
      throw Failure(
        path: path,
        reason: "holds no measured link (latencySeconds and bytesPerSecond): give what 'cosface check --json' wrote.")
    }
    return slowest
  }

  /// The computation that an earlier `cosface plan --json` measured.
  package static func compute(from path: String) throws -> ComputeMeasurement {
    guard let value = try read(path)["compute"], let compute = try? value.decode(as: ComputeMeasurement.self) else {
      throw Failure(path: path, reason: "holds no measured computation: give what 'cosface plan --json' wrote.")
    }
    return compute
  }

  private static func number(_ value: JSONValue?) -> Double? {
    switch value {
    case .integer(let number): Double(number)
    case .unsigned(let number): Double(number)
    case .number(let number) where number.isFinite: number
    default: nil
    }
  }

  private static func read(_ path: String) throws -> JSONValue {
    guard let data = FileManager.default.contents(atPath: path) else { throw FileError("read", path) }
    do {
      return try JSONDecoder().decode(JSONValue.self, from: data)
    } catch { throw Failure(path: path, reason: "is no JSON.") }
  }
}
