import COpenBLAS

/// The libraries that compute: the versions that this process has loaded, those of the headers that it was compiled with,
/// and the processor features that they use here.
package enum Libraries {
  package static var oneDNN: (name: String, loaded: String, headers: String) {
    ("oneDNN", DNN.version, DNN.headersVersion)
  }

  /// The corresponding C function is `openblas_get_config`.
  package static var openBLAS: (name: String, loaded: String, headers: String) {
    func version(_ words: String) -> String {
      words.split(separator: " ").dropFirst().first.map(String.init) ?? "unknown"
    }
    return ("OpenBLAS", version(String(cString: openblas_get_config())), version(OPENBLAS_VERSION))
  }

  /// "instructions up to AVX2, activations in blocks of 8 channels"
  package static var oneDNNDetails: String {
    "instructions up to \(DNN.instructions), activations in blocks of \(DNN.channelBlock) channels"
  }

  /// "NO_LAPACKE DYNAMIC_ARCH NO_AFFINITY USE_OPENMP Haswell MAX_THREADS=128, kernels for Haswell"
  ///
  /// The corresponding C functions are `openblas_get_config` and `openblas_get_corename`.
  package static var openBLASDetails: String {
    let options = String(cString: openblas_get_config()).split(separator: " ").dropFirst(2).joined(separator: " ")
    return "\(options), kernels for \(String(cString: openblas_get_corename()))"
  }

  /// "oneDNN AVX2, OpenBLAS Haswell": whoever computes with others rounds differently.
  package static var kernels: String {
    "oneDNN \(DNN.instructions), OpenBLAS \(String(cString: openblas_get_corename()))"
  }
}
