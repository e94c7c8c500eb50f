import COneDNN

/// The three primitives' descriptions of one convolution over a number of images: oneDNN chooses the weight's layouts,
/// we the activations'.
///
/// The corresponding C functions are `dnnl_convolution_forward_desc_init`, `dnnl_convolution_backward_data_desc_init`
/// and `dnnl_convolution_backward_weights_desc_init`.
struct ConvolutionProblem {
  private let name: String
  private let source: dnnl_memory_desc_t
  private let target: dnnl_memory_desc_t
  private let weight: dnnl_memory_desc_t
  private let bias: dnnl_memory_desc_t?
  private let strides: [dnnl_dim_t]
  private let padding: [dnnl_dim_t]

  /// `layout` is the weight's, where another size of batch has chosen it already; `hasBias` gives it one that the layer
  /// does not have.
  init(
    _ layer: ConvolutionGeometry, _ weight: ConvolutionWeight, input: Shape, output: Shape, images: Int,
    layout: dnnl_memory_desc_t? = nil, hasBias: Bool = false
  ) {
    name = layer.name
    source = DNNMemory.describe(input, images: images)
    target = DNNMemory.describe(output, images: images)
    self.weight = layout ?? DNNMemory.describe(weight.dimensions, dnnl_format_tag_any)
    bias = hasBias || layer.bias != nil ? DNNMemory.describe([layer.outputs], dnnl_a) : nil
    strides = [dnnl_dim_t](repeating: dnnl_dim_t(layer.stride), count: 2)
    padding = [dnnl_dim_t](repeating: dnnl_dim_t(layer.padding), count: 2)
  }

  func biasMemory(_ values: UnsafeMutableBufferPointer<Float>) -> DNNMemory { DNNMemory(bias!, values.baseAddress) }

  /// `addsToTarget`: to what lies there already.
  func forward(_ mode: Mode, addsToTarget: Bool = false) -> dnnl_primitive_desc_t {
    let kind = mode == .training ? dnnl_forward_training : dnnl_forward_inference
    return make("forward", hint: nil, addsToTarget: addsToTarget) { description, source, target, weight, bias in
      dnnl_convolution_forward_desc_init(
        description, kind, dnnl_convolution_direct, source, weight, bias, target, strides, padding, padding)
    }
  }

  func backwardData(_ hint: dnnl_primitive_desc_t) -> dnnl_primitive_desc_t {
    make("backward data", hint: hint) { description, source, target, weight, _ in
      dnnl_convolution_backward_data_desc_init(
        description, dnnl_convolution_direct, source, weight, target, strides, padding, padding)
    }
  }

  func backwardWeights(_ hint: dnnl_primitive_desc_t) -> dnnl_primitive_desc_t {
    make("backward weights", hint: hint) { description, source, target, weight, bias in
      dnnl_convolution_backward_weights_desc_init(
        description, dnnl_convolution_direct, source, weight, bias, target, strides, padding, padding)
    }
  }

  private typealias Memory = UnsafePointer<dnnl_memory_desc_t>

  private func make(
    _ what: StaticString, hint: dnnl_primitive_desc_t?, addsToTarget: Bool = false,
    _ initialize: (UnsafeMutablePointer<dnnl_convolution_desc_t>, Memory, Memory, Memory, Memory?) -> dnnl_status_t
  ) -> dnnl_primitive_desc_t {
    var description = dnnl_convolution_desc_t()
    let status = withUnsafePointer(to: source) { source in
      withUnsafePointer(to: target) { target in
        withUnsafePointer(to: weight) { weight in
          guard let bias else { return initialize(&description, source, target, weight, nil) }
          return withUnsafePointer(to: bias) { initialize(&description, source, target, weight, $0) }
        }
      }
    }
    DNN.check("dnnl_convolution_desc_init", status, "for \(what) of \(name)")
    return DNNPrimitive.withAttributes { attributes in
      if addsToTarget { DNNPrimitive.addToTarget(attributes) }
      var primitive: dnnl_primitive_desc_t?
      DNN.check(
        "dnnl_primitive_desc_create",
        dnnl_primitive_desc_create(&primitive, &description, attributes, DNN.engine, hint), "for \(what) of \(name)")
      return primitive!
    }
  }
}
