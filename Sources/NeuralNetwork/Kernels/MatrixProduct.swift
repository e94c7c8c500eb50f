import COpenBLAS

/// Whether a factor enters a product as it lies in memory or transposed.
package enum Transposition: Sendable {
  case none, transpose
}

/// C (M, N) = alpha op(A) (M, K) op(B) (K, N) + beta C, all row-major.
///
/// Leading dimensions are the distances between rows in memory; without them the rows are adjacent: A is (M, K) or,
/// transposed, (K, M). Called from within `Parallel.run`, each call computes on its own thread; outside, OpenBLAS
/// shares it among the pool. With `beta` 0, C may hold anything, NaN included.
///
/// The corresponding C function is `cblas_sgemm`.
package func gemm(
  _ transposeA: Transposition, _ transposeB: Transposition, _ m: Int, _ n: Int, _ k: Int,
  _ a: UnsafePointer<Float>, leadingA: Int? = nil, _ b: UnsafePointer<Float>, leadingB: Int? = nil,
  alpha: Float = 1, beta: Float = 0, into c: UnsafeMutablePointer<Float>, leadingC: Int? = nil
) {
  if m == 0 || n == 0 { return }
  let widthA = transposeA == .none ? k : m
  let widthB = transposeB == .none ? n : k
  let (lda, ldb, ldc) = (leadingA ?? widthA, leadingB ?? widthB, leadingC ?? n)
  precondition(
    lda >= widthA && ldb >= widthB && ldc >= n, "Product of \(m) x \(n) x \(k) over rows \(lda), \(ldb), \(ldc) apart")
  cblas_sgemm(
    CblasRowMajor, transposeA == .none ? CblasNoTrans : CblasTrans, transposeB == .none ? CblasNoTrans : CblasTrans,
    CInt(m), CInt(n), CInt(k), alpha, a, CInt(max(lda, 1)), b, CInt(max(ldb, 1)), beta, c, CInt(ldc))
}
