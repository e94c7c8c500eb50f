import COpenMP
import VectorKernels

/// Work shared among the threads of the OpenMP pool that oneDNN and OpenBLAS use too.
///
/// A second pool (Dispatch, Swift concurrency) would fight with OpenMP's idle threads, which spin.
package enum Parallel {
  /// Threads of the pool: `OMP_NUM_THREADS`, or what `setThreads` said last.
  package static var threads: Int { Int(omp_get_max_threads()) }

  /// The corresponding C function is `omp_set_num_threads`.
  package static func setThreads(_ count: Int) {
    precondition(count > 0, "A pool of \(count) threads")
    omp_set_num_threads(CInt(count))
  }

  /// Runs `body` with a pool of one thread.
  static func onOneThread<R>(_ body: () -> R) -> R {
    let before = threads
    setThreads(1)
    defer { setThreads(before) }
    return body()
  }

  /// Whether the caller is one of several threads of a region: whoever it calls works alone.
  ///
  /// The corresponding C function is `omp_in_parallel`.
  package static var isInside: Bool { omp_in_parallel() != 0 }

  /// The caller's number in the region that it runs in; 0 outside.
  ///
  /// The corresponding C function is `omp_get_thread_num`.
  package static var part: Int { Int(omp_get_thread_num()) }

  /// Runs `body(part, parts)` once per thread, at the same time, and returns when all have ended. Within a region the
  /// calling thread does everything.
  ///
  /// The corresponding C function is `GOMP_parallel`.
  package static func run(_ body: (_ part: Int, _ parts: Int) -> Void) {
    if threads == 1 || isInside { return body(0, 1) }
    withoutActuallyEscaping(body) { escapable in
      var region = Region(body: escapable)
      withUnsafeMutablePointer(to: &region) { pointer in
        GOMP_parallel({ Region.enter($0!) }, pointer, 0, 0)
      }
    }
  }

  /// Divides 0..<count into one contiguous range per thread; `body` is not called for an empty one.
  package static func ranges(_ count: Int, _ body: (Range<Int>) -> Void) {
    run { part, parts in
      let range = Share.range(of: count, part, parts)
      if !range.isEmpty { body(range) }
    }
  }

  private struct Region {
    let body: (Int, Int) -> Void

    static func enter(_ pointer: UnsafeMutableRawPointer) {
      let region = pointer.assumingMemoryBound(to: Region.self)
      region.pointee.body(Int(omp_get_thread_num()), Int(omp_get_num_threads()))
    }
  }
}
