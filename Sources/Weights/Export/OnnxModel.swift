import Files
import Foundation
import NeuralNetwork

/// A network as an ONNX model: opset 13, any batch size.
///
/// data (N, 3, S, S), RGB planes: Floats (x - 127.5) / 127.5, or uint8 pixels x   embedding (N, K)
enum OnnxModel {
  static let operatorSet: Int64 = 13
  /// IR version 7 came with opset 13 (ONNX 1.8).
  static let representation: Int64 = 7
  static let input = ElementaryGraph.input
  static let output = "embedding"

  /// The model of the network's weights as they are now.
  static func make(_ network: Network, _ description: ModelDescription, _ options: OnnxOptions) -> Onnx_ModelProto {
    var graph = Onnx_GraphProto()
    graph.name = description.network
    let images = append(preprocessing: options.embedsPreprocessing, to: &graph)
    let elementary = network.elementaryGraph(folded: options.folds)
    // The last value has the name that users know, whichever operation makes it.
    let embedding = options.normalizes ? "\(output).raw" : output
    func name(_ value: String) -> String {
      value == ElementaryGraph.input ? images : value == elementary.output ? embedding : value
    }
    for node in elementary.nodes {
      append(node, inputs: node.inputs.map(name), output: name(node.name), to: &graph)
    }
    if options.normalizes { append(normalizationOf: embedding, to: &graph) }
    let side = network.inputShape.height
    graph.input = [
      value(
        input, options.embedsPreprocessing ? .uint8 : .float, [3, side, side],
        options.embedsPreprocessing ? "RGB pixels" : "RGB, (pixel - 127.5) / 127.5")
    ]
    graph.output = [
      value(
        output, .float, [network.embeddingWidth],
        options.normalizes ? "Embeddings of length 1" : "Embeddings; compare their cosines")
    ]

    var model = Onnx_ModelProto()
    model.irVersion = representation
    model.producerName = "cosface"
    model.producerVersion = ProgramVersion.number
    model.opsetImport = [.with { $0.version = operatorSet }]
    model.metadataProps = [
      ("network", description.network), ("trainedSteps", "\(description.step)"),
      ("input", options.embedsPreprocessing ? "uint8 RGB" : "float RGB, (pixel - 127.5) / 127.5"),
      ("batchNormalization", options.folds ? "folded" : "kept"),
    ].map { entry in .with { ($0.key, $0.value) = entry } }
    model.graph = graph
    return model
  }

  /// The name of the value that the network reads.
  private static func append(preprocessing: Bool, to graph: inout Onnx_GraphProto) -> String {
    guard preprocessing else { return input }
    // Subtract, then divide: the bits are those of `PixelTransform`.
    graph.initializer.append(tensor("pixel.middle", [], [127.5]))
    graph.node += [
      node("Cast", [input], "\(input).float", [attribute("to", Int64(Onnx_TensorProto.DataType.float.rawValue))]),
      node("Sub", ["\(input).float", "pixel.middle"], "\(input).centered"),
      node("Div", ["\(input).centered", "pixel.middle"], "\(input).normalized"),
    ]
    return "\(input).normalized"
  }

  /// e = x / sqrt(sum x^2 + 1e-10), as `L2Normalize`.
  private static func append(normalizationOf embedding: String, to graph: inout Onnx_GraphProto) {
    graph.initializer.append(tensor("\(output).epsilon", [], [Float(L2Normalize.epsilon)]))
    graph.node += [
      node(
        "ReduceSumSquare", [embedding], "\(output).square", [attribute("axes", [1]), attribute("keepdims", Int64(1))]),
      node("Add", ["\(output).square", "\(output).epsilon"], "\(output).sum"),
      node("Sqrt", ["\(output).sum"], "\(output).norm"),
      node("Div", [embedding, "\(output).norm"], output),
    ]
  }

  private static func append(
    _ source: ElementaryGraph.Node, inputs: [String], output: String, to graph: inout Onnx_GraphProto
  ) {
    func weights(_ given: ElementaryGraph.Weight?...) -> [String] {
      given.compactMap { $0 }.map { weight in
        graph.initializer.append(tensor(weight.name, weight.shape, weight.values))
        return weight.name
      }
    }
    let result: Onnx_NodeProto
    switch source.operation {
    case .convolution(let weight, let bias, let stride, let padding, let groups):
      result = node(
        "Conv", inputs + weights(weight, bias), output,
        [
          attribute("kernel_shape", weight.shape[2...].map(Int64.init)),
          attribute("strides", [Int64](repeating: Int64(stride), count: 2)),
          attribute("pads", [Int64](repeating: Int64(padding), count: 4)),
          attribute("dilations", [1, 1]), attribute("group", Int64(groups)),
        ])
    case .batchNormalization(let scale, let bias, let mean, let variance, let epsilon):
      result = node(
        "BatchNormalization", inputs + weights(scale, bias, mean, variance), output,
        [attribute("epsilon", Float(epsilon))])
    case .prelu(let slope):
      // Shaped to meet the channels of (N, C, H, W).
      graph.initializer.append(tensor(slope.name, slope.shape + [1, 1], slope.values))
      result = node("PRelu", inputs + [slope.name], output)
    case .add:
      result = node("Add", inputs, output)
    case .flatten:
      result = node("Flatten", inputs, output, [attribute("axis", Int64(1))])
    case .fullyConnected(let weight, let bias):
      result = node("Gemm", inputs + weights(weight, bias), output, [attribute("transB", Int64(1))])
    }
    var named = result
    named.name = source.name
    graph.node.append(named)
  }

  private static func node(
    _ type: String, _ inputs: [String], _ output: String, _ attributes: [Onnx_AttributeProto] = []
  ) -> Onnx_NodeProto {
    .with {
      $0.opType = type
      $0.name = output
      $0.input = inputs
      $0.output = [output]
      $0.attribute = attributes
    }
  }

  private static func attribute(_ name: String, _ value: Int64) -> Onnx_AttributeProto {
    .with { ($0.name, $0.type, $0.i) = (name, .int, value) }
  }

  private static func attribute(_ name: String, _ value: Float) -> Onnx_AttributeProto {
    .with { ($0.name, $0.type, $0.f) = (name, .float, value) }
  }

  private static func attribute(_ name: String, _ values: [Int64]) -> Onnx_AttributeProto {
    .with { ($0.name, $0.type, $0.ints) = (name, .ints, values) }
  }

  private static func tensor(_ name: String, _ shape: [Int], _ values: [Float]) -> Onnx_TensorProto {
    .with {
      $0.name = name
      $0.dims = shape.map(Int64.init)
      $0.dataType = Int32(Onnx_TensorProto.DataType.float.rawValue)
      $0.rawData = values.withUnsafeBytes { Data($0) }
    }
  }

  /// A batch of any size N, each of `shape`.
  private static func value(
    _ name: String, _ type: Onnx_TensorProto.DataType, _ shape: [Int], _ meaning: String
  ) -> Onnx_ValueInfoProto {
    .with {
      $0.name = name
      $0.docString = meaning
      $0.type.tensorType.elemType = Int32(type.rawValue)
      $0.type.tensorType.shape.dim =
        [.with { $0.dimParam = "N" }] + shape.map { extent in .with { $0.dimValue = Int64(extent) } }
    }
  }
}

/// What an ONNX file shall hold.
package struct OnnxOptions: Equatable, Sendable {
  /// The input is uint8 pixels, and the graph begins with (x - 127.5) / 127.5.
  package var embedsPreprocessing = false
  /// The embeddings have length 1.
  package var normalizes = false
  /// Batch normalization goes into the convolutions and fully connected layers before it.
  package var folds = true

  package init() {}
}
