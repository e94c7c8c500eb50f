import Glibc

/// Memory of this process that was in RAM.
package enum ResidentMemory {
  /// The most so far, in units of 10^9 bytes.
  ///
  /// The corresponding C function is `getrusage`.
  package static var peakGB: Double {
    var usage = rusage()
    guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return .nan }
    // Linux counts in units of 1024 bytes.
    return Double(usage.ru_maxrss) * 1024 / 1e9
  }
}
