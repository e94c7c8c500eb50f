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

  /// Now, in bytes; 0 where the system does not tell.
  ///
  /// The second number of Linux's `/proc/self/statm`.
  package static var currentBytes: Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var text = [UInt8](repeating: 0, count: 128)
    let count = fread(&text, 1, text.count, file)
    let numbers = String(decoding: text[..<count], as: UTF8.self).split(separator: " ")
    return numbers.count > 1 ? (Int(numbers[1]) ?? 0) * Int(getpagesize()) : 0
  }
}
