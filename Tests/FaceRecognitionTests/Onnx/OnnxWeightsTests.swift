import FaceRecognition
import Files
import Foundation
import NeuralNetwork
import Testing
import VectorKernels
import Weights

/// What other programs' exporters write is read as the network that it was made of.
@Suite(.serialized) struct OnnxWeightsTests {
  private let files: TemporaryFolder

  init() throws { files = try TemporaryFolder() }

  private static let kinds: [NetworkKind] = [.mobilefacenet, .iresnet18, .spherenet20]

  private func open(_ text: OnnxModelDraft, _ name: String = "model.onnx") throws -> (ModelDescription, Network) {
    let opened = try ModelFile.open(files.write(text.data, to: name))
    return (opened.description, opened.network)
  }

  /// Of two images of noise.
  private func embeddings(_ network: Network) -> [Float] {
    let pass = network.pass(batch: 2, .evaluation)
    var generator = CounterGenerator(seed: 1, purpose: .order)
    for i in pass.input.buffer.indices { pass.input.buffer[i] = generator.uniform(-1, 1) }
    pass.forward()
    return Array(pass.output.buffer)
  }

  /// A copy: the values are the network's own.
  private func firstWeight(_ network: Network) -> [Float] { Array(network.layers[0].parameters[0].value) }

  private func expectSame(_ found: Network, _ original: Network, _ what: String) {
    let (a, b) = (embeddings(found), embeddings(original))
    let largest = b.map(abs).max()!
    let difference = zip(a, b).map { abs($0 - $1) }.max()!
    #expect(largest > 0 && difference <= 2e-5 * largest, "\(what): \(difference) of \(largest)")
  }

  @Test(arguments: kinds, ForeignExporter.known.map(\.name))
  func foreignGraphs(kind: NetworkKind, exporter name: String) throws {
    var exporter = ForeignExporter.known.first { $0.name == name }!.exporter
    let preprocessing = exporter.preprocessing
    exporter.preprocessing = .none
    let original = RandomModel.make(kind)
    let (description, network) = try open(exporter.export(original))
    #expect(description == ModelDescription(network: kind, embeddingWidth: 32, inputSide: 48))
    expectSame(network, original, name)
    // Pixels x, as the graph takes them: (x - 127.5) / 128, and (x / 255 - 0.5) / 0.5, which is (x - 127.5) / 127.5.
    exporter.preprocessing = preprocessing
    let factor: Float = preprocessing == .mxnet ? 127.5 / 128 : 1
    let scaled = firstWeight(try open(exporter.export(original)).1)
    #expect(zip(scaled, firstWeight(network)).allSatisfy { abs($0 - factor * $1) <= 1e-6 * abs($1) })
  }

  /// Ours, with all that it may put around the network.
  @Test(arguments: [NetworkKind.mobilefacenet, .mobilefacenetX2, .iresnet18, .spherenet20], [true, false])
  func ownExport(kind: NetworkKind, folds: Bool) throws {
    let original = try RandomModel.write(kind, to: files["model.safetensors"])
    var export = ModelExport(model: files["model.safetensors"], format: .onnx, output: files["face.onnx"])
    export.onnx.folds = folds
    export.onnx.normalizes = folds
    export.onnx.embedsPreprocessing = !folds
    _ = try export.run()
    let (_, description, network) = try ModelFile.open(files["face.onnx"])
    #expect(description == ModelDescription(network: kind, embeddingWidth: 32, inputSide: 48))
    expectSame(network, original, kind.rawValue)
    // And on to PyTorch's names.
    var onward = ModelExport(model: files["face.onnx"], format: .safetensors, output: files["out.safetensors"])
    onward.assumedModel = AssumedModel(network: kind)
    _ = try onward.run()
    let file = try SafetensorsFile(path: files["out.safetensors"])
    for parameter in network.parameters.parameters {
      #expect(try file.floats(of: parameter.name) == Array(parameter.value))
    }
    guard !folds else { return }
    // What was not folded keeps its bits.
    for (own, other) in zip(network.parameters.parameters, original.parameters.parameters) {
      #expect(own.name == other.name && Array(own.value) == Array(other.value), "\(own.name)")
    }
  }

  /// Weight 1, mean 0, sqrt(variance + epsilon) = 1, and the layer's bias.
  @Test func foldedNormalizationsAreIdentities() throws {
    let original = RandomModel.make(.mobilefacenet)
    let text = ForeignExporter(folds: true).export(original)
    let bias = text.tensors[1].values
    let network = try open(text).1
    func values(_ name: String) -> [Float] {
      Array((network.parameters.parameters + network.statistics.parameters).first { $0.name == name }!.value)
    }
    let layer = "layers.0.layers.1"
    #expect(values("\(layer).weight") == Array(repeating: 1, count: 64))
    #expect(values("\(layer).bias") == bias && bias.count == 64)
    #expect(values("\(layer).running_mean") == Array(repeating: 0, count: 64))
    #expect(values("\(layer).running_var") == Array(repeating: 1 - 1e-5, count: 64))
  }

  @Test(arguments: [9, 11, 13, 18, 21]) func otherForms(operatorSet: Int) throws {
    let original = RandomModel.make(.mobilefacenet, embeddingWidth: 64, inputSide: 16)
    var text = ForeignExporter(flattening: .squeeze, epsilon: 1e-3).export(original)
    text.operatorSet = operatorSet
    text.initializersAreInputs = operatorSet == 9
    // Left open, as with dynamic axes: the layers tell it.
    text.inputShape = [nil, 3, nil, nil]
    let numbers = text.tensors.indices.filter {
      text.tensors[$0].name != text.nodes.last { $0.type == "Squeeze" }?.inputs[1]
    }
    for i in numbers where i % 2 == 0 { text.tensors[i].form = .floatData }
    // Nodes in any order.
    text.nodes.reverse()
    var (description, network) = try open(text)
    #expect(description == ModelDescription(network: .mobilefacenet, embeddingWidth: 64, inputSide: 16))
    expectSame(network, original, "opset \(operatorSet)")
    for i in numbers { text.tensors[i].form = .double }
    (description, network) = try open(text)
    expectSame(network, original, "F64")
    for i in numbers { text.tensors[i].form = .half }
    let half = firstWeight(try open(text).1)
    #expect(zip(half, firstWeight(original)).allSatisfy { $0 == Float(Float16($1)) })
  }

  @Test func numbersBesideTheModel() throws {
    let original = RandomModel.make(.mobilefacenet, inputSide: 16)
    var text = ForeignExporter().export(original)
    var data = Data()
    for i in text.tensors.indices {
      text.tensors[i].form = .external("parts/weights.bin", data.count)
      data += text.tensors[i].values.withUnsafeBytes { Data($0) }
    }
    try files.write(data, to: "parts/weights.bin")
    expectSame(try open(text).1, original, "external")

    func refuse(_ location: String, _ words: String) throws {
      var changed = text
      changed.tensors[0].form = .external(location, 0)
      expectRefused(changed, "'\(text.tensors[0].name)'", words)
    }
    let outside = try TemporaryFolder()
    try outside.write(data, to: "weights.bin")
    try FileManager.default.createSymbolicLink(atPath: files["link.bin"], withDestinationPath: outside["weights.bin"])
    try refuse("parts/../../x.bin", "files beside the model alone")
    try refuse(outside["weights.bin"], "files beside the model alone")
    try refuse("link.bin", "a link out of the model's folder")
    try refuse("absent.bin", "must stand beside the model")
    try files.write(data.prefix(100), to: "short.bin")
    try refuse("short.bin", "which has 100")
  }

  /// Through the library, whose only way to a model it is.
  @Test func libraryTakesIt() throws {
    let original = try RandomModel.write(.spherenet20, to: files["own.safetensors"])
    let path = try files.write(ForeignExporter().export(original).data, to: "foreign.ONNX")
    let pixels = (0..<(3 * 48 * 48)).map { UInt8(truncatingIfNeeded: $0 * 37) }
    let foreign = try FaceModel(path: path).embed(pixels: pixels, width: 48, height: 48)
    let own = try FaceModel(path: files["own.safetensors"]).embed(pixels: pixels, width: 48, height: 48)
    #expect(foreign.values == own.values)
    #expect(throws: ModelFileError.self) { try FaceModel(path: path, network: .iresnet18) }
  }

  // MARK: - Refused

  private func expectRefused(
    _ text: OnnxModelDraft, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let error = #expect(throws: ModelFileError.self, sourceLocation: sourceLocation) { try open(text, "refused.onnx") }
    let message = error.map { "\($0)" } ?? ""
    for word in ["refused.onnx"] + words {
      #expect(message.contains(word), "\(message)", sourceLocation: sourceLocation)
    }
  }

  @Test func otherNetworksAreTold() throws {
    let text = ForeignExporter(folds: true).export(RandomModel.make(.iresnet18))
    // A pooling in the place of the fourth operation.
    var pooled = text
    pooled.nodes[3].type = "MaxPool"
    expectRefused(pooled, "Nearest is iresnet", "node '\(text.nodes[3].name)' (MaxPool)", "layer1.0.conv1")
    // Another stride, a value that leads elsewhere, and an end before the end.
    var stride = text
    stride.nodes[3].attributes[0].1 = .integers([2, 2])
    expectRefused(stride, "Conv", "stride 2", "was expected")
    var turned = text
    let addition = turned.nodes.firstIndex { $0.type == "Add" }!
    turned.nodes[addition].inputs[1] = text.input
    expectRefused(turned, "(Add), which reads another value", "the addition of a shortcut was expected")
    var cut = text
    cut.output = text.nodes.last!.inputs[0]
    expectRefused(cut, "where the embedding's end was expected")
    var longer = text
    longer.nodes.append(OnnxNodeDraft(name: "soft", type: "Softmax", inputs: [text.output], outputs: ["probabilities"]))
    longer.output = "probabilities"
    expectRefused(longer, "node 'soft' (Softmax), where the embedding's end was expected")
    var plain = ForeignExporter().export(RandomModel.make(.mobilefacenet))
    for i in plain.nodes.indices where plain.nodes[i].type == "PRelu" { plain.nodes[i].type = "Relu" }
    expectRefused(plain, "(Relu), where a PReLU of 64 channels was expected")
  }

  @Test func damageIsTold() throws {
    let text = ForeignExporter().export(RandomModel.make(.spherenet20))
    var missing = text
    let lost = missing.tensors.remove(at: 4)
    expectRefused(missing, "reads '\(lost.name)'", "is incomplete")
    var circle = text
    circle.nodes[1].inputs[0] = text.nodes[5].outputs[0]
    expectRefused(circle, "wait for one another in a circle", "'\(text.nodes[1].name)'")
    var twice = text
    twice.nodes[3].outputs = text.nodes[2].outputs
    expectRefused(twice, "is made twice")
    var short = text
    short.tensors[0].shape[0] = 32
    expectRefused(short, "'\(text.tensors[0].name)'", "cut off or damaged")
    var huge = text
    huge.tensors[0].shape = [1 << 40, 1 << 40]
    expectRefused(huge, "fits no file")
    var negative = text
    negative.tensors[0].shape[0] = -64
    expectRefused(negative, "fits no file")
    for bytes in [
      text.data.prefix(text.data.count / 2), text.data.prefix(3), Data(), Data("no model".utf8), Data([8, 7]),
    ] {
      let path = try files.write(Data(bytes), to: "broken.onnx")
      #expect(throws: ModelFileError.self) { try ModelFile.open(path) }
    }
    // A page of the web, or what Git LFS left.
    let page = try files.write(Data("<html>".utf8), to: "page.onnx")
    #expect("\(#expect(throws: ModelFileError.self) { try ModelFile.open(page) }!)".contains("a web page"))
  }

  /// Whatever bytes of the structure are changed, it is read or refused.
  @Test func changedBytes() throws {
    let text = ForeignExporter(flattening: .reshapeByShape, slopes: .reshaped, isWordy: true).export(
      RandomModel.make(.mobilefacenet, embeddingWidth: 16, inputSide: 16))
    // The nodes come first.
    let (data, structure) = (text.data, text.nodes.reduce(0) { $0 + $1.message.count })
    var generator = CounterGenerator(seed: 3, purpose: .order)
    var refused = 0
    for _ in 0..<300 {
      var changed = data
      for _ in 0..<2 {
        changed[Int(generator.next() % UInt64(structure))] = UInt8(truncatingIfNeeded: generator.next())
      }
      let path = try files.write(changed, to: "changed.onnx")
      do { _ = try OnnxWeights.read(path) } catch is ModelFileError { refused += 1 }
    }
    #expect(refused > 100)
  }

  /// Two bytes a node in the file, a hundred in memory.
  @Test func structureIsBounded() throws {
    var graph = ProtocolBuffer()
    for _ in 0..<(9 << 20) { graph.add(1, []) }
    var model = ProtocolBuffer()
    model.add(7, graph.bytes)
    let path = try files.write(Data(model.bytes), to: "nodes.onnx")
    let error = #expect(throws: ModelFileError.self) { try ModelFile.open(path) }
    #expect(error?.reason.contains("more than any network here has") == true)
  }

  @Test func whatCannotBeTakenIsNamed() throws {
    let original = RandomModel.make(.spherenet20)
    let text = ForeignExporter().export(original)
    var quantized = text
    quantized.nodes[2].type = "QLinearConv"
    expectRefused(quantized, "is quantized: node '\(text.nodes[2].name)' (QLinearConv)")
    var bytes = text
    bytes.tensors[0].form = .bytes
    bytes.tensors[0].values = bytes.tensors[0].values.map { _ in 1 }
    expectRefused(bytes, "'\(text.tensors[0].name)'", "int8")
    var computed = text
    computed.nodes.insert(
      OnnxNodeDraft(name: "square", type: "Sqrt", inputs: [text.tensors[0].name], outputs: ["root"]), at: 0)
    computed.nodes[1].inputs[1] = "root"
    expectRefused(computed, "'root'", "constants folded")
    expectRefused(ForeignExporter(preprocessing: .unfitting).export(original), "(Sub)", "without its pre-processing")
    var pixels = text
    pixels.takesBytes = true
    expectRefused(pixels, "whole numbers")
    var last = text
    last.inputShape = [nil, 48, 48, 3]
    expectRefused(last, "'images' of shape ? x 48 x 48 x 3", "channels first")
    var side = text
    side.inputShape = [nil, 3, 64, 64]
    expectRefused(side, "images of side 64", "for 48")
    var old = text
    old.operatorSet = 6
    expectRefused(old, "operator set 6")
  }
}
