import Glibc

/// The connection of another rank to rank 0's watchdog.
///
/// It is used by the watchdog's thread alone.
package final class WatchClient {
  private let rank: Int
  private let token: UInt64
  private let server: String
  private let hint: String
  private let socket: WatchSocket?
  private var lastAnswer = Activity.now
  private var closed: UInt64?

  /// - Parameters:
  ///   - addresses: where rank 0 may be reached, the likeliest first.
  ///   - host: rank 0's, for messages.
  ///   - hint: how to allow longer waits.
  package init(rank: Int, token: UInt64, addresses: [UInt32], port: UInt16, host: String, hint: String) {
    self.hint = hint
    self.rank = rank
    self.token = token
    server = "rank 0 on \(host)"
    var socket: WatchSocket?
    for address in addresses where socket == nil { socket = .connected(to: address, port: port) }
    self.socket = socket
    report(.report)
  }

  package var isConnected: Bool { socket != nil && closed == nil }

  /// Reports, and listens until the next look is due or `wake` is written to. Returns what ends the job, if something does.
  package func exchange(wake: CInt, timeout: Double) -> Watch.Problem? {
    report(.report)
    let end = Activity.now + UInt64(Watch.interval) * 1_000_000_000
    while Activity.now < end {
      let ready = WatchSocket.wait(
        [wake] + (isConnected ? [socket!.descriptor] : []), seconds: Watch.interval)
      if ready[0] { return nil }
      guard ready.count > 1, ready[1] else { continue }
      do throws(WatchSocketError) {
        guard let answer = try socket!.receive() else { continue }
        if answer.isEmpty { throw WatchSocketError(code: ECONNRESET) }
        lastAnswer = Activity.now
      } catch {
        if error.isHostLost {
          return .loss(
            "lost \(server): it acknowledges nothing any more. That host is down, or a link between it and this one is."
          )
        }
        closed = Activity.now
      }
    }
    if let closed {
      return Activity.now - closed > 5_000_000_000
        ? .loss("\(server) has ended without a word: it was killed, or it crashed.") : nil
    }
    return diagnose(Activity.glance(), timeout: timeout).map { .hang($0) }
  }

  package func sayFarewell() { report(.farewell) }

  /// Rank 0 decides; this rank speaks only where rank 0 cannot.
  private func diagnose(_ own: Activity.Glance, timeout: Double) -> String? {
    guard let routine = own.routine, own.seconds > timeout + Watch.silence else { return nil }
    let waited = "has waited in \(routine)" + (own.step.map { " in step \($0)" } ?? "") + " for \(Int(own.seconds)) s"
    if socket == nil {
      return
        "A collective operation hangs: rank \(rank) \(waited). Which ranks are missing is unknown, for \(server) could "
        + "not be reached: a firewall, or the wrong network?"
    }
    let silence = Double(Activity.now - lastAnswer) / 1e9
    guard silence > Watch.silence else { return nil }
    return
      "A collective operation hangs: rank \(rank) \(waited). \(server) has been silent for \(Int(silence)) s: its process "
      + "is stopped (SIGSTOP, a debugger) or starved. \(hint)"
  }

  private func report(_ kind: WatchMessage.Kind) {
    guard let socket, closed == nil else { return }
    let message = WatchMessage(token: token, kind: kind, rank: rank, glance: Activity.glance())
    do throws(WatchSocketError) { try socket.send(message.bytes) } catch {
      // Of a lost host the next receive tells.
      if !error.isHostLost { closed = Activity.now }
    }
  }
}
