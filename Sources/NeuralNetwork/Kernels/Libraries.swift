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
  package static var oneDNN: String {
    "oneDNN \(DNN.version), instructions up to \(DNN.instructions), "
      + "activations in blocks of \(DNN.channelBlock) channels"
  }

  /// "oneDNN AVX2, OpenBLAS Haswell": whoever computes with others rounds differently.
  package static var kernels: String {
    "oneDNN \(DNN.instructions), OpenBLAS \(String(cString: openblas_get_corename()))"
  }
}
