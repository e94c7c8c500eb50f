import Glibc

/// An IPv4 address of this host, and the interface that has it.
package struct NetworkInterface: Equatable, Sendable, Codable {
  /// Such as eth0.
  package let name: String
  /// Such as 10.1.0.7.
  package let address: String
  /// Bits of the address that name the network.
  package let prefixLength: Int

  package init(name: String, address: String, prefixLength: Int) {
    self.name = name
    self.address = address
    self.prefixLength = prefixLength
  }

  /// Bridges that machines make for their containers and guests: each host has its own, often with the same address, and
  /// none leads to another host.
  package var isBridgeOfThisHost: Bool {
    ["docker", "br-", "virbr", "lxcbr", "lxdbr", "podman", "cni"].contains { name.hasPrefix($0) }
  }

  /// Whether `selection`, a list of names and networks as of Open MPI's btl_tcp_if_include, takes it: "eth0,10.1.0.0/16".
  package func isSelected(by selection: String) -> Bool {
    selection.split(separator: ",").contains { item in
      if item == name { return true }
      let parts = item.split(separator: "/")
      guard parts.count == 2, let bits = Int(parts[1]), (0...32).contains(bits), let network = Self.number(parts[0]),
        let own = Self.number(address)
      else { return false }
      return bits == 0 || network >> (32 - bits) == own >> (32 - bits)
    }
  }

  /// Those that are up, without the loopback.
  ///
  /// The corresponding C function is `getifaddrs`.
  package static func all() -> [NetworkInterface] {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&list) == 0 else { return [] }
    defer { freeifaddrs(list) }
    var result: [NetworkInterface] = []
    var next = list
    while let entry = next?.pointee {
      next = entry.ifa_next
      let flags = CInt(bitPattern: entry.ifa_flags)
      guard flags & CInt(IFF_UP) != 0, flags & CInt(IFF_LOOPBACK) == 0,
        let address = ipv4(entry.ifa_addr), let mask = ipv4(entry.ifa_netmask)
      else { continue }
      result.append(
        NetworkInterface(
          name: String(cString: entry.ifa_name), address: text(address), prefixLength: mask.nonzeroBitCount))
    }
    return result
  }

  /// In this host's byte order.
  private static func ipv4(_ address: UnsafeMutablePointer<sockaddr>?) -> UInt32? {
    guard let address, address.pointee.sa_family == AF_INET else { return nil }
    return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
      UInt32(bigEndian: $0.pointee.sin_addr.s_addr)
    }
  }

  static func text(_ address: UInt32) -> String {
    [24, 16, 8, 0].map { String(address >> UInt32($0) & 255) }.joined(separator: ".")
  }

  /// "10.1.0.7" as a number; nil for anything else.
  static func number(_ text: some StringProtocol) -> UInt32? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    return parts.reduce(UInt32?(0)) { sum, part in
      guard let sum, let byte = UInt8(part) else { return nil }
      return sum << 8 | UInt32(byte)
    }
  }
}
