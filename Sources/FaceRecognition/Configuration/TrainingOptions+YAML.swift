import Files
import Foundation
import Training
import Yams

extension TrainingOptions {
  /// All options as the YAML that `train --config` reads, defaults included.
  ///
  /// Names are those of the command line. What is one start's own business is left out.
  package func yaml() throws -> String {
    var members = try values().filter { Self.declared[$0.key]?.resuming != .forgotten }
    members["length"] = nil
    switch length {
    case .steps(let count): members["steps"] = .integer(Int64(count))
    case .epochs(let count): members["epochs"] = .number(count)
    }
    // A flag that is off is left out where it is off anyway.
    let usual = try Self.defaults.values()
    members = members.filter { $0.value != .boolean(false) || usual[$0.key] == .boolean(true) }
    let pairs = members.sorted { $0.key < $1.key }.compactMap { name, value in
      Self.node(value).map { (Node(Self.flag(of: name)), $0) }
    }
    return """
      # Every option of this run, the defaults too. To train like this again:
      #   cosface train --config FILE --output ANOTHER
      \(try Yams.serialize(node: Node(pairs)))
      """
  }

  /// Nil for what is said by leaving it out.
  private static func node(_ value: JSONValue) -> Node? {
    switch value {
    case .null, .object: nil
    case .boolean(let isOn): Node("\(isOn)", .implicit, .plain)
    case .integer(let number): Node("\(number)", .implicit, .plain)
    case .unsigned(let number): Node("\(number)", .implicit, .plain)
    case .number(let number): Node("\(number)", .implicit, .plain)
    case .string(let text):
      // What is plain here is read back as it stands; anything else in quotes.
      Node(text, .implicit, text.wholeMatch(of: /[0-9A-Za-z_.\/-]+/) != nil ? .plain : .doubleQuoted)
    case .array(let items):
      items.isEmpty ? nil : Node(items.compactMap { node($0) }, .implicit, .flow)
    }
  }
}
