import Foundation

/// Work on many items by several threads, the results taken in order.
package enum OrderedWork {
  /// Calls `produce` for each of `items` on `workers` threads, and `consume` on this one with the results, in order.
  ///
  /// Each thread has a `produce` of its own, from `makeProducer`. At most 64 results a thread wait to be consumed.
  /// - Throws: what `produce` or `consume` throws first, in the items' order.
  package static func run<Output: Sendable>(
    _ items: Range<Int>, workers: Int, makeProducer: @escaping @Sendable () -> (Int) throws -> Output,
    consume: (Int, Output) throws -> Void
  ) throws {
    precondition(workers > 0, "\(workers) threads")
    let state = State<Output>(items, window: 64 * workers)
    for worker in 0..<min(workers, max(items.count, 1)) {
      state.enter()
      Thread.start("worker-\(worker)") {
        let produce = makeProducer()
        while let item = state.claim() { state.finish(item, Result { try produce(item) }) }
        state.leave()
      }
    }
    defer { state.stop() }
    for item in items { try consume(item, state.take(item).get()) }
  }

  private final class State<Output: Sendable>: @unchecked Sendable {
    private let condition = NSCondition()
    private let window: Int
    private let end: Int
    private var nextToClaim: Int
    private var nextToTake: Int
    private var results: [Int: Result<Output, any Error>] = [:]
    private var running = 0

    init(_ items: Range<Int>, window: Int) {
      (nextToClaim, nextToTake, end) = (items.lowerBound, items.lowerBound, items.upperBound)
      self.window = window
    }

    func enter() { condition.withLock { running += 1 } }

    func leave() {
      condition.withLock {
        running -= 1
        condition.broadcast()
      }
    }

    /// The next item to do; nil after the last.
    func claim() -> Int? {
      condition.withLock {
        while nextToClaim < end, nextToClaim >= nextToTake + window { condition.wait() }
        guard nextToClaim < end else { return nil }
        nextToClaim += 1
        return nextToClaim - 1
      }
    }

    func finish(_ item: Int, _ result: Result<Output, any Error>) {
      condition.withLock {
        results[item] = result
        if item == nextToTake { condition.broadcast() }
      }
    }

    func take(_ item: Int) -> Result<Output, any Error> {
      condition.withLock {
        while true {
          if let result = results.removeValue(forKey: item) {
            nextToTake = item + 1
            condition.broadcast()
            return result
          }
          condition.wait()
        }
      }
    }

    /// Lets the threads finish what they have in hand, and waits for them.
    func stop() {
      condition.withLock {
        nextToClaim = end
        condition.broadcast()
        while running > 0 { condition.wait() }
      }
    }
  }
}
