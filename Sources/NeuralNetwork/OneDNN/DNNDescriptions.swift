import COneDNN

// Descriptions of memory, convolutions and copies. What oneDNN's versions spell differently is in COneDNN's header alone.

/// How values lie in memory, in oneDNN's terms; a weight's is chosen by the primitive that reads or writes it.
final class DNNLayout: Equatable {
  let description: cosface_dnnl_layout

  /// Row-major Floats.
  convenience init(plain dimensions: [Int]) {
    let tags = [dnnl_a, dnnl_ab, dnnl_abc, dnnl_abcd, dnnl_abcde]
    self.init(dimensions, tags[dimensions.count - 1], .float32)
  }

  /// Images (N, C, H, W): plain, or channels in blocks of `DNN.channelBlock`.
  convenience init(_ shape: Shape, images: Int) {
    let blocked = DNN.isWide ? dnnl_aBcd16b : dnnl_aBcd8b
    self.init(
      [images, shape.channels, shape.height, shape.width], shape.layout == .plain ? dnnl_abcd : blocked, shape.type)
  }

  fileprivate init(_ dimensions: [Int], _ tag: dnnl_format_tag_t, _ type: ElementType) {
    let sizes = dimensions.map { dnnl_dim_t($0) }
    let type =
      switch type {
      case .float32: dnnl_f32
      }
    var layout: cosface_dnnl_layout?
    DNN.check(
      "dnnl_memory_desc_create_with_tag",
      cosface_dnnl_layout_create(&layout, CInt(sizes.count), sizes, type, tag), "for \(dimensions)")
    description = layout!
  }

  /// What a primitive asks for.
  init(_ what: dnnl_query_t, of primitive: dnnl_primitive_desc_t) {
    var layout: cosface_dnnl_layout?
    DNN.check("dnnl_primitive_desc_query_md", cosface_dnnl_layout_query(&layout, primitive, what))
    description = layout!
  }

  /// Bytes that the values take, padding included.
  var bytes: Int { cosface_dnnl_layout_bytes(description) }

  static func == (one: DNNLayout, other: DNNLayout) -> Bool {
    cosface_dnnl_layout_equal(one.description, other.description) != 0
  }

  deinit { cosface_dnnl_layout_destroy(description) }
}

/// A convolution for oneDNN, which chooses the weight's layout; we choose the activations'.
struct DNNConvolution {
  /// For messages.
  let name: String
  let input: Shape
  let output: Shape
  /// (O, C, k, k), or with groups (G, O / G, C / G, k, k).
  let weight: [Int]
  let hasBias: Bool
  let stride: Int
  let padding: Int

  enum Stage {
    /// `addsToOutput`: the result is added to what lies in the output's place.
    case forward(Mode, addsToOutput: Bool = false)
    case backwardData
    case backwardWeights
  }

  /// One convolution for batches, or pieces of them, of several sizes, which agree on the weight's layout.
  struct Primitives {
    let stage: Stage
    /// Images, and the primitive for so many: largest first.
    let sizes: [Int]
    let primitives: [DNNPrimitive]
    /// Of the weight, or of its gradient.
    let weight: DNNLayout
    /// The largest's, "jit:avx2".
    let implementation: String
  }

  /// - Parameter sizes: the first chooses the weight's layout.
  func primitives(_ stage: Stage, sizes: [Int]) -> Primitives {
    var chosen: (weight: DNNLayout, implementation: String)?
    let primitives = sizes.map { images in
      var hint: dnnl_primitive_desc_t?
      if case .forward = stage {} else { hint = describe(.forward(.training), images: images) }
      defer { dnnl_primitive_desc_destroy(hint) }
      let description = describe(stage, images: images, weight: chosen?.weight, hint: hint)
      if chosen == nil { chosen = (DNNLayout(stage.weight, of: description), Self.implementation(of: description)) }
      return DNNPrimitive(description)
    }
    return Primitives(
      stage: stage, sizes: sizes, primitives: primitives, weight: chosen!.weight,
      implementation: chosen!.implementation)
  }

  private func describe(
    _ stage: Stage, images: Int, weight layout: DNNLayout? = nil, hint: dnnl_primitive_desc_t? = nil
  ) -> dnnl_primitive_desc_t {
    let source = DNNLayout(input, images: images)
    let target = DNNLayout(output, images: images)
    let weight = layout ?? DNNLayout(weight, dnnl_format_tag_any, .float32)
    let bias = hasBias ? DNNLayout(plain: [output.channels]) : nil
    var convolution = cosface_dnnl_convolution()
    convolution.strides = (dnnl_dim_t(stride), dnnl_dim_t(stride))
    convolution.borders = (dnnl_dim_t(padding), dnnl_dim_t(padding))
    return withExtendedLifetime((source, target, weight, bias)) {
      convolution.source = source.description
      convolution.target = target.description
      convolution.weight = weight.description
      convolution.bias = bias?.description
      return withAttributes(addsToOutput: stage.addsToOutput) { attributes in
        var description: dnnl_primitive_desc_t?
        DNN.check(
          "a convolution's primitive_desc_create",
          cosface_dnnl_convolution_create(&description, DNN.engine, stage.kind, &convolution, hint, attributes),
          "for \(name), \(stage)")
        return description!
      }
    }
  }

  /// The corresponding C function is `dnnl_primitive_desc_query`.
  private static func implementation(of description: dnnl_primitive_desc_t) -> String {
    var name: UnsafePointer<CChar>?
    DNN.check(
      "dnnl_primitive_desc_query",
      withUnsafeMutablePointer(to: &name) {
        dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, $0)
      })
    return String(cString: name!)
  }
}

extension DNNConvolution.Stage {
  fileprivate var kind: dnnl_prop_kind_t {
    switch self {
    case .forward(.training, _): dnnl_forward_training
    case .forward(.evaluation, _): dnnl_forward_inference
    case .backwardData: dnnl_backward_data
    case .backwardWeights: dnnl_backward_weights
    }
  }

  fileprivate var addsToOutput: Bool {
    if case .forward(_, addsToOutput: true) = self { return true }
    return false
  }

  fileprivate var weight: dnnl_query_t {
    if case .backwardWeights = self { return dnnl_query_diff_weights_md }
    return dnnl_query_weights_md
  }
}

extension DNNPrimitive {
  /// Copies values from one layout to another.
  ///
  /// The corresponding C function is `dnnl_reorder_primitive_desc_create`.
  convenience init(copying source: DNNLayout, to target: DNNLayout) {
    let description = withAttributes { attributes in
      var description: dnnl_primitive_desc_t?
      DNN.check(
        "dnnl_reorder_primitive_desc_create",
        cosface_dnnl_reorder_create(&description, DNN.engine, source.description, target.description, attributes))
      return description!
    }
    self.init(description)
  }
}

/// Attributes that leave the scratch memory to us: one piece for all primitives, none allocated in a step.
///
/// The corresponding C functions are `dnnl_primitive_attr_set_scratchpad_mode` and, for `addsToOutput`,
/// `dnnl_post_ops_append_sum`.
private func withAttributes<R>(addsToOutput: Bool = false, _ body: (dnnl_primitive_attr_t) -> R) -> R {
  var attributes: dnnl_primitive_attr_t?
  DNN.check("dnnl_primitive_attr_create", dnnl_primitive_attr_create(&attributes))
  defer { dnnl_primitive_attr_destroy(attributes) }
  DNN.check(
    "dnnl_primitive_attr_set_scratchpad_mode",
    dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user))
  if addsToOutput {
    var operations: dnnl_post_ops_t?
    DNN.check("dnnl_post_ops_create", dnnl_post_ops_create(&operations))
    defer { dnnl_post_ops_destroy(operations) }
    DNN.check("dnnl_post_ops_append_sum", cosface_dnnl_post_ops_append_sum(operations))
    DNN.check("dnnl_primitive_attr_set_post_ops", dnnl_primitive_attr_set_post_ops(attributes, operations))
  }
  return body(attributes!)
}
