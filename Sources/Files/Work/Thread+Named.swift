package import Foundation

extension Thread {
  /// Starts a thread that the system knows by its name, too, as `top -H` and debuggers show it: its first 15 bytes.
  ///
  /// `Thread.name` does not reach the system where it is set before the thread runs, and not always where the thread sets it
  /// itself. What is done here is what the C function `pthread_setname_np` does.
  package static func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
    let thread = Thread {
      try? Data(name.utf8).write(to: URL(fileURLWithPath: "/proc/thread-self/comm"))
      body()
    }
    thread.name = name
    thread.start()
  }
}
