import COneDNN

/// A view of memory that belongs to somebody else, with the layout in which oneDNN shall read it.
final class DNNMemory {
  let raw: dnnl_memory_t
  let description: dnnl_memory_desc_t

  init(_ description: dnnl_memory_desc_t, _ elements: UnsafeMutablePointer<Float>? = nil) {
    var copy = description
    var memory: dnnl_memory_t?
    // A null handle means "none yet" (DNNL_MEMORY_NONE); oneDNN must never allocate by itself.
    DNN.check("dnnl_memory_create", dnnl_memory_create(&memory, &copy, DNN.engine, elements))
    raw = memory!
    self.description = description
  }

  /// Bytes that the layout needs, padding included.
  var bytes: Int { Self.bytes(description) }

  func point(to elements: UnsafeMutablePointer<Float>) {
    DNN.check("dnnl_memory_set_data_handle", dnnl_memory_set_data_handle(raw, elements))
  }

  static func bytes(_ description: dnnl_memory_desc_t) -> Int {
    withUnsafePointer(to: description) { dnnl_memory_desc_get_size($0) }
  }

  static func describe(_ dimensions: [Int], _ tag: dnnl_format_tag_t) -> dnnl_memory_desc_t {
    var description = dnnl_memory_desc_t()
    let sizes = dimensions.map { dnnl_dim_t($0) }
    DNN.check(
      "dnnl_memory_desc_init_by_tag",
      dnnl_memory_desc_init_by_tag(&description, CInt(sizes.count), sizes, dnnl_f32, tag), "for \(dimensions)")
    return description
  }

  static func describe(_ shape: Shape, images: Int) -> dnnl_memory_desc_t {
    describe([images, shape.channels, shape.height, shape.width], DNN.tag(shape.layout))
  }

  deinit { dnnl_memory_destroy(raw) }
}
