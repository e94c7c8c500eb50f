import COneDNN

/// oneDNN in this process: its engine and stream, the instructions that it uses, and the one place where its return codes
/// are read.
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

  /// "2.6.3": of the headers that the program was compiled with.
  static let headersVersion = "\(DNNL_VERSION_MAJOR).\(DNNL_VERSION_MINOR).\(DNNL_VERSION_PATCH)"

  /// "2.6.3": of the library that is loaded.
  ///
  /// The corresponding C function is `dnnl_version`.
  static var version: String {
    let version = dnnl_version().pointee
    return "\(version.major).\(version.minor).\(version.patch)"
  }

  /// "AVX2": the best instructions that oneDNN uses here.
  ///
  /// The corresponding C function is `dnnl_get_effective_cpu_isa`.
  static var instructions: String {
    let isa = dnnl_get_effective_cpu_isa()
    return switch isa {
    case dnnl_cpu_isa_sse41: "SSE4.1"
    case dnnl_cpu_isa_avx: "AVX"
    case dnnl_cpu_isa_avx2: "AVX2"
    case dnnl_cpu_isa_avx2_vnni: "AVX2 VNNI"
    case dnnl_cpu_isa_avx512_core: "AVX-512"
    case dnnl_cpu_isa_avx512_core_vnni: "AVX-512 VNNI"
    case dnnl_cpu_isa_avx512_core_bf16: "AVX-512 BF16"
    case dnnl_cpu_isa_avx512_core_amx: "AMX"
    default: "oneDNN's level \(String(isa.rawValue, radix: 16))"
    }
  }

  /// A shape that oneDNN refuses is our mistake, and memory that it does not get is nothing to go on without.
  static func check(_ routine: StaticString, _ status: dnnl_status_t, _ what: @autoclosure () -> String = "") {
    guard status == dnnl_success else {
      fatalError("\(routine) says \(String(cString: dnnl_status2str(status))) \(what())")
    }
  }
}
