package import VectorKernels

/// In vectors of 16 Floats.
private enum AVX512Kernels: KernelSet {
  typealias Vector = SIMD16<Float>
}

/// The kernels of AVX-512, to be called where the processor has it.
///
/// Neither inlined nor named elsewhere: another module would make the loops anew for the processor it is compiled for.
@inline(never)
package func wideKernels() -> any KernelSet.Type { AVX512Kernels.self }
