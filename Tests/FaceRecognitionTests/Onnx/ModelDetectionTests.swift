import Files
import Foundation
import NeuralNetwork
import Testing
import Weights

/// Which network a state dict is of, by the names and shapes of its tensors.
@Suite struct ModelDetectionTests {
  private let files: TemporaryFolder

  init() throws { files = try TemporaryFolder() }

  private func add(
    _ kind: NetworkKind, _ width: Int, _ side: Int, prefix: String = "", except: Set<String> = [],
    to writer: inout SafetensorsWriter
  ) {
    for parameter in kind.parameters(embeddingWidth: width, inputSide: side) where !except.contains(parameter.name) {
      writer.add(
        prefix + parameter.name, shape: parameter.shape, [Float](repeating: 0.5, count: parameter.count))
    }
  }

  private func description(
    _ writer: SafetensorsWriter, _ assumed: AssumedModel = AssumedModel()
  ) throws -> ModelDescription {
    try writer.write(to: files["state.safetensors"])
    return try ModelFile.description(of: SafetensorsFile(path: files["state.safetensors"]), assuming: assumed)
  }

  @Test(
    arguments: NetworkKind.allCases.filter { $0 != .iresnet100 }, [(64, 112), (32, 48), (16, 16)])
  func everyKindAndSize(kind: NetworkKind, sizes: (Int, Int)) throws {
    var writer = SafetensorsWriter()
    add(kind, sizes.0, sizes.1, prefix: sizes.0 == 32 ? "module.backbone." : "", to: &writer)
    let found = try description(writer)
    #expect(found == ModelDescription(network: kind, embeddingWidth: sizes.0, inputSide: sizes.1))
  }

  /// The names of iresnet18 are all among those of iresnet34.
  @Test func contradictionsAreRefused() throws {
    var writer = SafetensorsWriter()
    add(.iresnet34, 32, 48, to: &writer)
    for (assumed, word) in [
      (AssumedModel(network: .iresnet18), "--network iresnet18"), (AssumedModel(embeddingWidth: 64), "--embedding 64"),
      (AssumedModel(network: .iresnet34, inputSide: 112), "--input-size 112"),
    ] {
      let error = #expect(throws: ModelFileError.self) { try description(writer, assumed) }
      #expect(error?.reason.contains("is of iresnet34, embedding 32, input 48") == true)
      #expect(error?.reason.contains(word) == true, "\(error?.reason ?? "")")
    }
    #expect(try description(writer, AssumedModel(network: .iresnet34, embeddingWidth: 32)).inputSide == 48)
  }

  @Test func severalNetworksNeedAWord() throws {
    var writer = SafetensorsWriter()
    add(.mobilefacenet, 32, 48, prefix: "student.", to: &writer)
    add(.spherenet20, 16, 48, prefix: "other.", to: &writer)
    let error = #expect(throws: ModelFileError.self) { try description(writer) }
    #expect(error?.reason.contains("holds tensors of mobilefacenet and spherenet20: say which by --network") == true)
    #expect(try description(writer, AssumedModel(network: .spherenet20)).embeddingWidth == 16)
  }

  @Test func whatIsMissingIsNamed() throws {
    var writer = SafetensorsWriter()
    add(.iresnet18, 32, 48, except: ["layer2.1.bn1.bias"], to: &writer)
    let error = #expect(throws: ModelFileError.self) { try description(writer) }
    #expect(error?.reason.contains("nearest is iresnet18") == true)
    #expect(error?.reason.contains("layer2.1.bn1.bias [128]") == true, "\(error?.reason ?? "")")
    var strange = SafetensorsWriter()
    strange.add("w", shape: [1], [1] as [Float])
    #expect(throws: ModelFileError.self) { try description(strange) }
    // A width that no network here has.
    var narrow = SafetensorsWriter()
    for parameter in NetworkKind.spherenet20.parameters(embeddingWidth: 16, inputSide: 16) {
      var shape = parameter.shape
      if parameter.name.hasPrefix("fc5") { shape[0] = 100 }
      narrow.add(parameter.name, shape: shape, [Float](repeating: 0, count: shape.reduce(1, *)))
    }
    let width = #expect(throws: ModelFileError.self) { try description(narrow) }
    #expect(width?.reason.contains("fc5.weight") == true, "\(width?.reason ?? "")")
  }
}
