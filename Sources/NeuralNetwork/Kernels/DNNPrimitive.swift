import COneDNN

/// A compiled oneDNN operation, made once; a `DNNCall` executes it.
final class DNNPrimitive {
  let raw: dnnl_primitive_t
  /// What it needs of scratch memory for each call that runs at the same time.
  let scratchpad: dnnl_memory_desc_t

  /// Takes over `description` (from `dnnl_primitive_desc_create`), which is destroyed here.
  init(_ description: dnnl_primitive_desc_t) {
    var primitive: dnnl_primitive_t?
    DNN.check("dnnl_primitive_create", dnnl_primitive_create(&primitive, description))
    raw = primitive!
    scratchpad = Self.layout(of: description, dnnl_query_scratchpad_md)
    dnnl_primitive_desc_destroy(description)
  }

  /// The memory layout that the implementation chose.
  static func layout(of description: dnnl_primitive_desc_t, _ what: dnnl_query_t) -> dnnl_memory_desc_t {
    dnnl_primitive_desc_query_md(description, what, 0).pointee
  }

  /// The name of the implementation, "jit:avx2".
  static func implementation(of description: dnnl_primitive_desc_t) -> String {
    var name: UnsafePointer<CChar>?
    let status = withUnsafeMutablePointer(to: &name) {
      dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, $0)
    }
    DNN.check("dnnl_primitive_desc_query", status)
    return String(cString: name!)
  }

  /// Attributes that leave the scratch memory to us: one piece for all primitives, none allocated in a step.
  static func withAttributes<R>(_ body: (dnnl_primitive_attr_t) -> R) -> R {
    var attributes: dnnl_primitive_attr_t?
    DNN.check("dnnl_primitive_attr_create", dnnl_primitive_attr_create(&attributes))
    defer { dnnl_primitive_attr_destroy(attributes) }
    DNN.check(
      "dnnl_primitive_attr_set_scratchpad_mode",
      dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user))
    return body(attributes!)
  }

  /// The primitive shall add its results to what lies at their place.
  ///
  /// The corresponding C function is `dnnl_post_ops_append_sum`.
  static func addToTarget(_ attributes: dnnl_primitive_attr_t) {
    var operations: dnnl_post_ops_t?
    DNN.check("dnnl_post_ops_create", dnnl_post_ops_create(&operations))
    defer { dnnl_post_ops_destroy(operations) }
    DNN.check("dnnl_post_ops_append_sum", dnnl_post_ops_append_sum(operations, 1))
    DNN.check("dnnl_primitive_attr_set_post_ops", dnnl_primitive_attr_set_post_ops(attributes, operations))
  }

  deinit { dnnl_primitive_destroy(raw) }
}
