import NeuralNetwork
import Training

/// Which network, of which size: checked before memory is made for it.
struct ModelSettings {
  let network: String
  let embeddingWidth: Int
  let inputSide: Int

  /// - Throws: `SettingError`
  var kind: NetworkKind {
    get throws(SettingError) {
      guard let kind = NetworkKind(rawValue: network) else {
        let known = FaceModel.networks.joined(separator: ", ")
        throw SettingError("network", network, "one of \(known) is needed")
      }
      for (name, value, range) in [
        ("embeddingWidth", embeddingWidth, Limits.embedding), ("inputSide", inputSide, Limits.inputSize),
      ] {
        guard range.contains(value) else { throw SettingError(name, "\(value)", range.need) }
      }
      return kind
    }
  }
}

/// A setting that has no meaning.
public struct SettingError: Error, Equatable, CustomStringConvertible {
  /// The property's name.
  public let setting: String
  /// The value, the setting's name and what is needed, for a person.
  public let description: String

  init(_ setting: String, _ value: String, _ need: String) {
    self.setting = setting
    description = "\(setting) is \(value), but \(need)."
  }
}
