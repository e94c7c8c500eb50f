import Glibc
import Synchronization

/// The files that this process has mapped, for the moment in which one of them is shortened by somebody else: the kernel
/// then answers the next access behind its new end with SIGBUS, which would end the program without a word of which file.
///
/// The signal's handler finds the address in a table of fixed size and does only what a handler may: it reads memory,
/// writes the message that was made when the file was mapped, and ends the process with exit code 70. A SIGBUS of any other
/// cause goes its usual way. A file for which there is no place left in the table is mapped all the same.
enum MappedRegions {
  /// EX_SOFTWARE of <sysexits.h>: as for other failures while running.
  static let exitCode: CInt = 70

  /// Maps `size` bytes, above 0, of an open file for reading; nil with `errno` where that fails.
  ///
  /// The corresponding C function is `mmap`.
  static func map(_ descriptor: CInt, size: Int, path: String) -> UnsafeRawBufferPointer? {
    _ = handler
    let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let address, address != MAP_FAILED else { return nil }
    let message = strdup(
      "Error: \(path.printableName): the file was shortened while it was in use. "
        + "Put the whole file there, and start again.\n")
    let isKept = withTable { regions in
      guard let place = (0..<capacity).first(where: { regions[$0].start == 0 }) else { return false }
      let start = UInt(bitPattern: address)
      // The last page belongs to the file to its end: that, too, can go.
      regions[place] = Region(start: start, end: start + UInt(size), message: message)
      return true
    }
    if !isKept { free(message) }
    return UnsafeRawBufferPointer(UnsafeMutableRawBufferPointer(start: address, count: size).bindMemory(to: UInt8.self))
  }

  /// Takes back what `map` gave.
  ///
  /// The corresponding C function is `munmap`.
  static func unmap(_ bytes: UnsafeRawBufferPointer) {
    let start = UInt(bitPattern: bytes.baseAddress)
    // Before the address may become another file's.
    let message = withTable { regions -> UnsafeMutablePointer<CChar>? in
      guard let place = (0..<capacity).first(where: { regions[$0].start == start }) else { return nil }
      defer { regions[place] = Region() }
      return regions[place].message
    }
    free(message)
    munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
  }

  private struct Region {
    /// 0 where the place is free.
    var start: UInt = 0
    var end: UInt = 0
    var message: UnsafeMutablePointer<CChar>?
  }

  private static let capacity = 1024
  private static let isLocked = Atomic<Bool>(false)
  nonisolated(unsafe) private static let table: UnsafeMutablePointer<Region> = {
    let table = UnsafeMutablePointer<Region>.allocate(capacity: capacity)
    table.initialize(repeating: Region(), count: capacity)
    return table
  }()
  /// What was done about the signal before.
  nonisolated(unsafe) private static let previous = UnsafeMutablePointer<sigaction>.allocate(capacity: 1)

  /// The lock is held for a few instructions that touch no mapped file: no thread can meet its own SIGBUS here, so that
  /// the handler may wait for it too.
  private static func withTable<Result>(_ body: (UnsafeMutablePointer<Region>) -> Result) -> Result {
    while isLocked.exchange(true, ordering: .acquiring) { sched_yield() }
    defer { isLocked.store(false, ordering: .releasing) }
    return body(table)
  }

  /// Installed once, when all that it touches is there.
  private static let handler: Void = {
    _ = (table, capacity)
    var action = sigaction()
    action.sa_flags = SA_SIGINFO
    sigemptyset(&action.sa_mask)
    action.__sigaction_handler.sa_sigaction = { _, info, _ in
      // Only the kernel's own has an address. One that was sent might find the lock taken by the very thread it stops.
      guard let info, info.pointee.si_code > 0 else {
        signal(SIGBUS, SIG_DFL)
        raise(SIGBUS)
        return
      }
      MappedRegions.end(at: UInt(bitPattern: info.pointee._sifields._sigfault.si_addr))
      // Not of a mapped file: the access comes again at once, and finds things as they were before.
      sigaction(SIGBUS, MappedRegions.previous, nil)
    }
    sigaction(SIGBUS, &action, previous)
  }()

  /// Ends the process if the address is a mapped file's.
  private static func end(at address: UInt) {
    withTable { regions in
      for place in 0..<capacity where regions[place].start <= address && address < regions[place].end {
        if let message = regions[place].message { _ = write(STDERR_FILENO, message, strlen(message)) }
        _exit(exitCode)
      }
    }
  }
}
