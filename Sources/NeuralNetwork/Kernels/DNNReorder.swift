import COneDNN

/// Copies memory from one layout to another.
///
/// The corresponding C function is `dnnl_reorder_primitive_desc_create`.
final class DNNReorder {
  private let call: DNNCall

  init(from source: DNNMemory, to target: DNNMemory, scratch: Scratch) {
    let description = DNNPrimitive.withAttributes { attributes in
      var description: dnnl_primitive_desc_t?
      var from = source.description
      var to = target.description
      DNN.check(
        "dnnl_reorder_primitive_desc_create",
        dnnl_reorder_primitive_desc_create(&description, &from, DNN.engine, &to, DNN.engine, attributes))
      return description!
    }
    call = DNNCall(DNNPrimitive(description), [(DNNL_ARG_FROM, source), (DNNL_ARG_TO, target)], scratch: scratch)
  }

  func execute() { call.execute() }
}
