import COneDNN
import COpenBLAS

/// The libraries that compute, and the processor features that they use here.
package enum Libraries {
  /// "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH NO_AFFINITY USE_OPENMP Haswell MAX_THREADS=128, kernels for Haswell"
  ///
  /// The corresponding C functions are `openblas_get_config` and `openblas_get_corename`.
  package static var openBLAS: String {
    "\(String(cString: openblas_get_config())), kernels for \(String(cString: openblas_get_corename()))"
  }

  /// "oneDNN 2.6.3, instructions up to AVX2, activations in blocks of 8 channels"
  ///
  /// The corresponding C functions are `dnnl_version` and `dnnl_get_effective_cpu_isa`.
  package static var oneDNN: String {
    let version = dnnl_version().pointee
    let isa = dnnl_get_effective_cpu_isa()
    return "oneDNN \(version.major).\(version.minor).\(version.patch), instructions up to \(name(isa)), "
      + "activations in blocks of \(DNN.channelBlock) channels"
  }

  /// "oneDNN AVX2, OpenBLAS Haswell": whoever computes with others rounds differently.
  package static var kernels: String {
    "oneDNN \(name(dnnl_get_effective_cpu_isa())), OpenBLAS \(String(cString: openblas_get_corename()))"
  }

  private static func name(_ isa: dnnl_cpu_isa_t) -> String {
    switch isa {
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
}
