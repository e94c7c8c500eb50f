import Foundation

/// One piece of work at a time on a thread of its own; what goes wrong there is thrown by the next call here, once.
///
/// One thread calls these methods.
package final class BackgroundWork: @unchecked Sendable {
  private let condition = NSCondition()
  // Under the condition's lock.
  private var busy = false
  private var failure: (any Error)?

  package init() {}

  package var isBusy: Bool {
    condition.lock()
    defer { condition.unlock() }
    return busy
  }

  /// Runs `body` on a thread after what runs there now has ended.
  ///
  /// - Throws: what went wrong before; `body` is not run then.
  package func start(_ name: String, _ body: @escaping @Sendable () throws -> Void) throws {
    try wait()
    condition.lock()
    busy = true
    condition.unlock()
    Thread.start(name) {
      var problem: (any Error)?
      do { try body() } catch { problem = error }
      self.condition.lock()
      self.busy = false
      self.failure = problem
      self.condition.broadcast()
      self.condition.unlock()
    }
  }

  /// Throws what went wrong since the last call; does not wait.
  package func checkForFailure() throws {
    condition.lock()
    defer { condition.unlock() }
    try throwFailure()
  }

  /// Waits until the work is done; throws what went wrong.
  package func wait() throws {
    condition.lock()
    defer { condition.unlock() }
    while busy { condition.wait() }
    try throwFailure()
  }

  private func throwFailure() throws {
    guard let failure else { return }
    self.failure = nil
    throw failure
  }
}
