import COneDNN

/// oneDNN's engine and stream of this process, and the one place where its return codes are read.
enum DNN {
  nonisolated(unsafe) static let engine: dnnl_engine_t = {
    var engine: dnnl_engine_t?
    check("dnnl_engine_create", dnnl_engine_create(&engine, dnnl_cpu, 0))
    return engine!
  }()

  nonisolated(unsafe) static let stream: dnnl_stream_t = {
    var stream: dnnl_stream_t?
    check("dnnl_stream_create", dnnl_stream_create(&stream, engine, UInt32(dnnl_stream_default_flags.rawValue)))
    return stream!
  }()

  /// Channels of a block of the activations: a vector register of Floats, as oneDNN's own kernels want it.
  static let channelBlock: Int = {
    let isa = dnnl_get_effective_cpu_isa().rawValue
    return isa & dnnl_cpu_isa_avx512_core.rawValue == dnnl_cpu_isa_avx512_core.rawValue ? 16 : 8
  }()

  /// Whether a block fills a register of AVX-512, and with it the wide kernels serve: as oneDNN sees the processor, so that
  /// one variable (ONEDNN_MAX_CPU_ISA) narrows everything.
  static let isWide = channelBlock == 16

  /// A shape that oneDNN refuses is our mistake, and memory that it does not get is nothing to go on without.
  static func check(_ routine: StaticString, _ status: dnnl_status_t, _ what: @autoclosure () -> String = "") {
    guard status == dnnl_success else {
      fatalError("\(routine) says \(String(cString: dnnl_status2str(status))) \(what())")
    }
  }

  /// oneDNN's name for a layout of images (N, C, H, W): plain, or channels in blocks of `channelBlock`.
  static func tag(_ layout: Shape.Layout) -> dnnl_format_tag_t {
    switch layout {
    case .plain: dnnl_abcd
    case .blocked: isWide ? dnnl_aBcd16b : dnnl_aBcd8b
    }
  }
}
