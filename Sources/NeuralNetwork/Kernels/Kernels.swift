import VectorKernels
import WideKernels

/// The kernels of this process, in the widest registers that the processor has: as oneDNN sees it, so that one variable
/// (ONEDNN_MAX_CPU_ISA) narrows everything.
enum Kernels {
  static let chosen: any KernelSet.Type = DNN.isWide ? wideKernels() : AVX2Kernels.self
}

/// The inner kernel of the classifier's and of Winograd's products: a tile of 6 rows by two vectors, which
/// `KernelSet.multiplyRows` and `multiplyColumns` compute.
enum TileProduct {
  static let rows = 6
  /// 16 with AVX2, 32 with AVX-512.
  static let columns = 2 * DNN.channelBlock
  /// Steps of a panel of B, 16 KB of it: half of a first-level cache, where it stays while all tiles of rows pass.
  static let depth = 4_096 / columns
}
